export type RecycleLimits = { jobsMax: number | null; memoryMbMax: number | null };

const BYTES_PER_MB = 1024 * 1024;

/** Why a worker that has just done a job should make room for a fresh one; `null`: it goes on. */
export function recycleReason(limits: RecycleLimits, state: { jobsDone: number; memoryBytes: number }): string | null {
  const { jobsMax, memoryMbMax } = limits;
  if (jobsMax !== null && state.jobsDone >= jobsMax) return `it has done ${state.jobsDone} jobs`;
  const memoryMb = Math.round(state.memoryBytes / BYTES_PER_MB);
  return memoryMbMax !== null && memoryMb >= memoryMbMax ? `it holds ${memoryMb} MB` : null;
}
