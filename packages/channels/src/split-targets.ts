import { severities, type Severity } from "@cidadao/domain/severity";

export type TargetEntry = { value: string; severityMin: Severity | null };

/** "a, critical=b": entries separated by commas, each for all alerts or only for those at least as grave as it says. */
export function splitTargets(text: string): TargetEntry[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [, level, value] = /^([a-z]+)=(.*)$/is.exec(entry) ?? [];
      const severityMin = severities.find((severity) => severity === level?.toLowerCase()) ?? null;
      return severityMin === null ? { value: entry, severityMin } : { value: value!.trim(), severityMin };
    });
}
