/**
 * Every expected failure has a code from this closed catalogue. The HTTP answer (RFC 9457) and whether a job is
 * tried again both derive from it. `title` is what people read, in Portuguese.
 */
export const errorCatalogue = {
  invalid_request: { status: 400, retry: false, title: "Pedido inválido" },
  unsupported_media_type: { status: 415, retry: false, title: "Tipo de conteúdo não aceito" },
  body_too_large: { status: 413, retry: false, title: "Corpo do pedido grande demais" },
  unauthorized: { status: 401, retry: false, title: "Credencial ausente" },
  forbidden: { status: 403, retry: false, title: "Acesso negado" },
  not_found: { status: 404, retry: false, title: "Não encontrado" },
  method_not_allowed: { status: 405, retry: false, title: "Método não aceito neste endereço" },
  not_ready: { status: 409, retry: false, title: "Ainda não disponível" },
  already_final: { status: 409, retry: false, title: "A investigação já terminou" },
  idempotency_key_reused: { status: 422, retry: false, title: "Idempotency-Key já usada com outro corpo" },
  store_unavailable: { status: 503, retry: true, title: "Banco de dados indisponível" },
  queue_unavailable: { status: 503, retry: true, title: "Fila indisponível" },
  source_unavailable: { status: 502, retry: true, title: "Fonte de dados indisponível" },
  source_refused: { status: 502, retry: false, title: "A fonte de dados recusou o pedido" },
  source_invalid: { status: 502, retry: false, title: "A fonte de dados respondeu fora do formato" },
  rate_limited: { status: 429, retry: true, title: "Limite de chamadas atingido" },
  backlog_full: { status: 429, retry: true, title: "Há investigações demais na fila" },
  overloaded: { status: 503, retry: true, title: "Serviço sobrecarregado" },
  deadline_exceeded: { status: 504, retry: true, title: "Tempo esgotado" },
  lease_lost: { status: 409, retry: false, title: "Outra execução assumiu o trabalho" },
  shutting_down: { status: 503, retry: true, title: "Serviço em encerramento" },
  internal: { status: 500, retry: false, title: "Erro interno" },
} as const satisfies Record<string, { status: number; retry: boolean; title: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  /** Seconds after which a new try makes sense, where the other side said so. */
  readonly retryAfterSeconds: number | null;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get retry(): boolean {
    return errorCatalogue[this.code].retry;
  }
}

/** The error as an `AppError`: itself, or `internal` with the original as its cause. */
export function asAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError("internal", messageOf(error), { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
