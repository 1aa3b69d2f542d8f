/** The one scale: a score in [0, 1] from the detector's arithmetic; the level is derived from it and from nothing else. */
export const severities = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

const floors: readonly (readonly [Severity, number])[] = [
  ["critical", 0.9],
  ["high", 0.7],
  ["medium", 0.5],
  ["low", 0.3],
];

export function severityOf(score: number): Severity {
  return floors.find(([, floor]) => score >= floor)?.[0] ?? "info";
}

/** True when `severity` is at least as grave as `floor`. */
export function isAtLeast(severity: Severity, floor: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(floor);
}

/** Portuguese names, for text people read. */
export const severityNames: Record<Severity, string> = {
  info: "informativa",
  low: "baixa",
  medium: "média",
  high: "alta",
  critical: "crítica",
};
