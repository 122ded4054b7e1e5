import { toWireError, type ErrorKind } from '../shared/errors.ts';

/** An answer that is no success, in the form that clients of this API read. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  /** The field at fault, e.g. `messages.0.content`. */
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    about: {
      readonly code?: string | undefined;
      readonly param?: string | undefined;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: about.cause });
    this.name = 'ApiError';
    this.status = status;
    this.type = typeOf(status);
    this.code = about.code ?? null;
    this.param = about.param ?? null;
    this.headers = about.headers ?? {};
  }

  /** The body of the answer. */
  body() {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Status and code by what went wrong inside. */
const answers = {
  'bad-input': [400, 'invalid_value'],
  'too-long': [400, 'context_length_exceeded'],
  unsupported: [400, 'unsupported'],
  'not-found': [404, 'not_found'],
  cancelled: [503, 'stopped'],
  busy: [503, 'busy'],
  'model-invalid': [503, 'model_invalid'],
  'out-of-memory': [503, 'out_of_memory'],
  'worker-crashed': [503, 'engine_stopped'],
  'worker-unresponsive': [503, 'engine_silent'],
  storage: [500, 'storage'],
  'database-too-new': [500, 'storage'],
  internal: [500, 'internal'],
} as const satisfies Record<ErrorKind, readonly [number, string]>;

/** Kinds that the same request may get past a moment later; clients then try again by themselves. */
const passing: ReadonlySet<ErrorKind> = new Set(['busy', 'worker-crashed', 'worker-unresponsive']);

/** Anything thrown as an answer. Details of what nobody threw on purpose stay here. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { kind, message } = toWireError(error);
  const [status, code] = answers[kind];
  // The official clients follow this header, and would else send what cannot work three times.
  const headers = { 'x-should-retry': String(passing.has(kind)) };
  const said = kind === 'internal' ? 'Something went wrong inside; the log says more.' : message;
  return new ApiError(status, said, { code, headers, cause: error });
}
