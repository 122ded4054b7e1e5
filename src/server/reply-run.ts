import type { DrawnPicture, WorkerReplyEvent } from '../shared/contracts/reply-event.ts';
import type { FinishReason, PromptPart, PromptTurn } from '../shared/contracts/worker-protocol.ts';
import type { Usage } from '../shared/domain/turn.ts';
import { addUsage } from '../shared/domain/usage.ts';
import { isStudioError, toWireError } from '../shared/errors.ts';
import type { ReplyPlan } from './chat-request.ts';
import type { ReadConversation } from './conversation.ts';
import type { Loan, ServedEngine } from './engine.ts';
import type { PictureHolder } from './pictures.ts';

export interface ReplyRun {
  readonly engine: ServedEngine;
  readonly conversation: ReadConversation;
  readonly plan: ReplyPlan;
  readonly holder: PictureHolder;
  readonly emit: (event: WorkerReplyEvent) => void;
  readonly signal: AbortSignal;
}

export interface ReplyEnd {
  readonly finish: FinishReason;
  readonly usage: Usage | null;
}

/**
 * Writes a reply with an engine that may be wanted back in the middle: what was said so far then stands, and the reply
 * goes on from there when the engine is free again. A drawing that was begun is begun anew.
 */
export async function runReply(run: ReplyRun): Promise<ReplyEnd> {
  const said = new Said(run.emit);
  let usage: Usage | null = null;
  for (;;) {
    const loan = await run.engine.borrow(run.signal);
    try {
      const left = run.plan.sampling.maxNewTokens - (usage?.replyTokens ?? 0);
      if (left < 1) return { finish: 'length', usage };
      const end = await goOn(run, loan, said, left);
      usage = sumOf(usage, end.usage);
      if (end.finish !== 'cancelled' || run.signal.aborted) return { finish: end.finish, usage };
    } catch (error) {
      if (run.signal.aborted || !loan.recalled.aborted) throw error;
    } finally {
      loan.giveBack();
    }
  }
}

/** The prompt is the first one: what a later go reads again was written here. */
function sumOf(before: Usage | null, now: Usage): Usage {
  const { promptTokens } = before ?? now;
  return { ...addUsage(before, now), promptTokens };
}

async function goOn(run: ReplyRun, loan: Loan, said: Said, maxNewTokens: number) {
  const { conversation, plan, holder } = run;
  const signal = AbortSignal.any([run.signal, loan.recalled]);
  said.goOn(loan.recalled);
  await drawUnfinished(run, loan, said, signal);
  const before = await said.turn(holder);
  return loan.request(
    'chat.reply',
    {
      turns: [...conversation.turns, ...before],
      sampling: { ...plan.sampling, maxNewTokens },
      drawing: plan.drawing,
      ...(plan.wish === undefined ? {} : { wish: plan.wish }),
      ...(conversation.system === undefined ? {} : { system: conversation.system }),
    },
    { signal, onEvent: (event) => said.take(event) },
  );
}

/** Draws the caption that a reply was recalled at. A failure is told at its place, and the words go on. */
async function drawUnfinished(
  { plan }: ReplyRun,
  loan: Loan,
  said: Said,
  signal: AbortSignal,
): Promise<void> {
  const caption = said.undrawn;
  if (caption === null) return;
  try {
    const body = { caption, drawing: plan.drawing };
    said.take(await loan.request('draw', body, { signal, onEvent: (event) => said.take(event) }));
  } catch (error) {
    if (signal.aborted || isStudioError(error, 'worker-crashed')) throw error;
    said.take({ kind: 'drawing-failed', caption, error: toWireError(error) });
  }
}

type SaidPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'picture'; readonly picture: DrawnPicture }
  | { readonly kind: 'undrawn'; readonly caption: string };

/** What of a reply was said so far, and passes it on. */
class Said {
  readonly #emit: (event: WorkerReplyEvent) => void;
  #parts: SaidPart[] = [];
  #recalled: AbortSignal = AbortSignal.abort();
  /** A whole caption whose picture is not there yet. */
  undrawn: string | null = null;

  constructor(emit: (event: WorkerReplyEvent) => void) {
    this.#emit = emit;
  }

  goOn(recalled: AbortSignal): void {
    this.#recalled = recalled;
  }

  take(event: WorkerReplyEvent): void {
    // What a recall cuts short is not told: it will be said whole.
    const cut = event.kind === 'caption-finished' || event.kind === 'drawing-failed';
    if (cut && this.#recalled.aborted) return;
    this.#keep(event);
    this.#emit(event);
  }

  #keep(event: WorkerReplyEvent): void {
    switch (event.kind) {
      case 'text':
        return this.#say(event.text);
      case 'caption-finished':
        this.undrawn = event.caption;
        return;
      case 'picture':
        this.undrawn = null;
        this.#parts.push({ kind: 'picture', picture: event });
        return;
      case 'drawing-failed':
        this.undrawn = null;
        this.#parts.push({ kind: 'undrawn', caption: event.caption });
        return;
      default:
        return;
    }
  }

  #say(text: string): void {
    const last = this.#parts.at(-1);
    if (last?.kind === 'text')
      this.#parts[this.#parts.length - 1] = { kind: 'text', text: last.text + text };
    else this.#parts.push({ kind: 'text', text });
  }

  /** The unfinished reply as the engine goes on from it; nothing where nothing was said. */
  async turn(holder: PictureHolder): Promise<PromptTurn[]> {
    const parts: PromptPart[] = [];
    for (const part of this.#parts) {
      if (part.kind !== 'picture') parts.push(part);
      else {
        const { png, caption } = part.picture;
        parts.push({ kind: 'picture', path: await holder.hold(png), caption });
      }
    }
    return parts.length === 0 ? [] : [{ role: 'assistant', parts }];
  }
}
