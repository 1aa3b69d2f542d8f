/** What became of a message. `unknown`: it may have arrived, so it is never sent again by itself. */
export type SendOutcome =
  | { kind: "sent"; externalId: string | null }
  | { kind: "retry"; afterSeconds: number | null; problem: string }
  | { kind: "failed"; problem: string }
  | { kind: "unknown"; problem: string };
