import { createHash } from "node:crypto";
import type { Severity } from "@cidadao/domain/severity";
import { ConfigError } from "@cidadao/runtime/config";
import { splitTargets } from "./split-targets.ts";

export type AlertEmail = { channel: "email"; target: string; severityMin: Severity | null; address: string };

const ADDRESS = /^[^\s@<>",;:\\()[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*$/i;
const ADDRESSES_MAX = 50;

/** E-mail addresses, separated by commas. The target is named without the address, which is a person's. */
export function parseAlertEmails(text: string): AlertEmail[] {
  const entries = splitTargets(text);
  const wrong = entries.findIndex(({ value }) => !ADDRESS.test(value));
  if (wrong !== -1) throw new ConfigError(`address ${wrong + 1} is not an e-mail address`);
  if (entries.length > ADDRESSES_MAX)
    throw new ConfigError(`${entries.length} addresses, at most ${ADDRESSES_MAX} are possible; use a mailing list`);
  const emails = new Map(
    entries.map(({ value, severityMin }) => {
      const target = `email-${createHash("sha256").update(value.toLowerCase()).digest("hex").slice(0, 12)}`;
      return [target, { channel: "email" as const, target, severityMin, address: value }];
    }),
  );
  return [...emails.values()];
}
