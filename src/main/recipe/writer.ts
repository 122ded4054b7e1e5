/** Who writes conversations, whoever it is: one request, one answer, and what went wrong in a form that is acted on. */
import type { BuiltPrompt } from './prompts.ts';

export interface WritingRequest extends BuiltPrompt {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
}

export interface WrittenAnswer {
  readonly text: string;
  readonly promptTokens: number;
  readonly replyTokens: number;
  /** It ran into the limit of tokens. */
  readonly isCut: boolean;
}

export interface Writer {
  /** @throws WriterFault, or `cancelled` when `signal` aborts */
  write(request: WritingRequest, signal: AbortSignal): Promise<WrittenAnswer>;
}

/**
 * What a fault means for the rest.
 * - `form`: this answer is none; another may be one.
 * - `wait`: later, all of them (`waitMs`, where the server said).
 * - `passing`: try again soon; where it does not pass, stop.
 * - `stop`: no request can go well until a person does something.
 */
export type FaultKind = 'form' | 'wait' | 'passing' | 'stop';

export class WriterFault extends Error {
  readonly kind: FaultKind;
  /** What to do. */
  readonly remedy: string;
  readonly waitMs: number | null;

  constructor(
    kind: FaultKind,
    message: string,
    remedy: string,
    more: { readonly waitMs?: number | null; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = 'WriterFault';
    this.kind = kind;
    this.remedy = remedy;
    this.waitMs = more.waitMs ?? null;
  }
}
