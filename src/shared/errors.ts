import { z } from 'zod';

/**
 * The kinds of error that may cross a process. A user's mistake (`bad-input`), a thing that is missing (`not-found`)
 * and a broken invariant (`internal`) are different kinds, because the interface says different things about them.
 */
export const errorKinds = [
  'bad-input',
  /** A message takes more of the model's context than there is; shortened, it could be read. */
  'too-long',
  'not-found',
  'cancelled',
  'busy',
  'model-invalid',
  'out-of-memory',
  'worker-crashed',
  'worker-unresponsive',
  'storage',
  'database-too-new',
  'unsupported',
  'internal',
] as const;

export type ErrorKind = (typeof errorKinds)[number];

/** An error as it crosses a process: plain data, a sentence for a person, and technical detail for the log. */
export const wireErrorSchema = z.object({
  kind: z.enum(errorKinds),
  message: z.string(),
  detail: z.string().nullable(),
});
export type WireError = z.infer<typeof wireErrorSchema>;

const mostCharacters = 1000;

/** A message quotes values of files, and these can be of any length. */
export function shortened(message: string): string {
  return message.length > mostCharacters ? `${message.slice(0, mostCharacters)} ...` : message;
}

/** The one error class that we throw on purpose. `message` is a sentence that names the thing and the values. */
export class StudioError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(shortened(message), options);
    this.name = 'StudioError';
    this.kind = kind;
  }
}

/** Says whether `error` is a StudioError, of `kind` if one is given. */
export function isStudioError(error: unknown, kind?: ErrorKind): error is StudioError {
  return error instanceof StudioError && (kind === undefined || error.kind === kind);
}

/** What anything thrown says of itself. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What must be there. @throws {StudioError} `internal` naming what is not */
export function known<Value>(found: Value | undefined, what: string): Value {
  if (found === undefined) throw new StudioError('internal', `${what} is not where it must be.`);
  return found;
}

/** Turns anything thrown into what may cross a process. What we did not throw on purpose is `internal`. */
export function toWireError(error: unknown): WireError {
  if (error instanceof StudioError) {
    return { kind: error.kind, message: error.message, detail: describeCause(error.cause) };
  }
  // A schema's own message is its list of issues as JSON: for the log, not for a person.
  if (error instanceof z.core.$ZodError) {
    const message = 'Something was read that is not in the form it should have.';
    return { kind: 'internal', message, detail: error.message };
  }
  if (error instanceof Error) {
    return { kind: 'internal', message: error.message, detail: error.stack ?? null };
  }
  return { kind: 'internal', message: String(error), detail: null };
}

/** The reverse of {@link toWireError}; the detail becomes the cause. */
export function fromWireError(error: WireError): StudioError {
  return new StudioError(error.kind, error.message, { cause: error.detail ?? undefined });
}

function describeCause(cause: unknown): string | null {
  if (cause === undefined || cause === null) return null;
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return String(cause);
}
