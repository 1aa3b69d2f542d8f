/** What became of a message. `unknown`: it may have arrived, so it is never sent again by itself. */
export type SendOutcome =
  | {
      kind: "sent";
      externalId: string | null;
      /** The other side takes no more for so long. */
      pauseSeconds?: number;
    }
  | {
      kind: "retry";
      afterSeconds: number | null;
      problem: string;
      /** Who has to wait: this target, or everything that goes to the same place. */
      pause?: "target" | "channel";
    }
  | {
      kind: "failed";
      problem: string;
      /** There is no such target, or no longer. */
      targetIsGone?: true;
    }
  | { kind: "unknown"; problem: string };
