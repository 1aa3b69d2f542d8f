export type ModelRequest = {
  system: string;
  user: string;
  /** Of the answer a reader gets; a vendor adds what its model needs to think. */
  tokensMax: number;
  temperature: number;
};

export type ModelTokens = { input: number; output: number };

export type ModelAnswer = { text: string; finishReason: string; tokens: ModelTokens };

/** One model of one vendor. Rejects with `ModelError`, or with the signal's reason once the signal has aborted. */
export type ModelPort = {
  /** The vendor, for metrics: "groq", "openai". */
  id: string;
  model: string;
  complete(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer>;
};

/** Every way in which a call brings no usable answer, and whether asking the same model again at once can help. */
export const modelFailures = {
  timeout: { retry: false },
  network: { retry: true },
  rate_limited: { retry: true },
  server_error: { retry: true },
  /** 4xx: the key, the model's name or the request; the same request fails again. */
  rejected: { retry: false },
  invalid_answer: { retry: false },
  /** The answer ends in the middle. */
  cut_off: { retry: false },
  refusal: { retry: false },
  /** Not asked: it asked for a pause, or failed too often just now. */
  resting: { retry: false },
  unexpected: { retry: false },
} as const satisfies Record<string, { retry: boolean }>;

export type ModelFailure = keyof typeof modelFailures;

/** Its message is made here, never taken from the vendor: theirs repeat keys and prompts. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly failure: ModelFailure;
  /** Seconds after which a new try makes sense, where the vendor said so. */
  readonly retryAfterSeconds: number | null;
  /** What the call cost although its answer is of no use. */
  readonly tokens: ModelTokens | null;

  constructor(
    failure: ModelFailure,
    message: string,
    options: { retryAfterSeconds?: number | null; tokens?: ModelTokens | null } = {},
  ) {
    super(message);
    this.failure = failure;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.tokens = options.tokens ?? null;
  }

  get retry(): boolean {
    return modelFailures[this.failure].retry;
  }
}
