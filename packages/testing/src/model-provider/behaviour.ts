/** What the provider does with one call. */
export type Behaviour =
  /** Explains from the evidence in the prompt, in Portuguese. */
  | { kind: "truthful" }
  /** Says exactly this. */
  | { kind: "says"; text: string }
  /** A truthful text with numbers that nobody computed. */
  | { kind: "made_up_numbers" }
  /** Links, mentions and an image. */
  | { kind: "links" }
  /** Does what the texts in the evidence tell it to: repeats every text of others, and more. */
  | { kind: "obeys_attacker" }
  | { kind: "refusal" }
  /** `finish_reason: "length"`, in the middle of a word. */
  | { kind: "cut_off" }
  /** `finish_reason: "stop"` without a word. */
  | { kind: "silent" }
  | { kind: "stall_before_headers" }
  | { kind: "stall_in_body" }
  /** One byte every `everyMs`, for ever. */
  | { kind: "drip"; everyMs?: number }
  | { kind: "reset" }
  | { kind: "reset_in_body" }
  | { kind: "status"; status: number; retryAfter?: string; code?: string }
  /** 200, the JSON ends in the middle, the connection ends well. */
  | { kind: "truncated_json" }
  /** 200 with a web page. */
  | { kind: "html" }
  | { kind: "empty_body" }
  /** 200 with JSON that is no chat completion. */
  | { kind: "wrong_shape" }
  /** 200 with a body of so many megabytes. */
  | { kind: "huge"; megabytes?: number }
  | { kind: "redirect"; location: string };

export type Vendor = "groq" | "openai";

/** One behaviour for each call of a vendor; the last one stays. A vendor that is left out is truthful. */
export type ProviderPlan = Partial<Record<Vendor, Behaviour[]>>;
