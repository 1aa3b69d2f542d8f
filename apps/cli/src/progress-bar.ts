const BAR_CHARACTERS = 30;
const REDRAW_MS = 100;

export type ProgressBar = {
  update: (progress: { name: string; readBytes: number; sizeBytes: number | null }) => void;
  end: () => void;
};

/** A line that is drawn over itself on a terminal; nothing where `out` is a pipe or a file. */
export function createProgressBar(out: NodeJS.WriteStream): ProgressBar {
  if (!out.isTTY) return { update: () => undefined, end: () => undefined };
  let drawnMs = 0;
  return {
    update({ name, readBytes, sizeBytes }) {
      const nowMs = performance.now();
      if (nowMs - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs;
      const share = sizeBytes === null || sizeBytes === 0 ? null : Math.min(1, readBytes / sizeBytes);
      const filled = Math.round((share ?? 0) * BAR_CHARACTERS);
      const bar = "█".repeat(filled) + "░".repeat(BAR_CHARACTERS - filled);
      const amount = share === null ? `${(readBytes / 1e6).toFixed(1)} MB` : `${Math.round(share * 100)} %`;
      out.write(`\r\u001B[K${bar} ${amount} ${name}`);
    },
    end: () => void out.write("\r\u001B[K"),
  };
}
