import { StudioError } from '../shared/errors.ts';
import { Answer } from './answer.ts';
import { checkBody } from './body.ts';
import { chatRequestSchema, planReply, type ChatRequest } from './chat-request.ts';
import { readConversation } from './conversation.ts';
import type { ServedModel } from './engine.ts';
import { EventStream } from './event-stream.ts';
import type { PictureHolder } from './pictures.ts';
import { runReply, type ReplyEnd, type ReplyRun } from './reply-run.ts';
import { clientOf, findModel, sendJson, type Desk, type Exchange } from './route.ts';

/** `POST /v1/chat/completions`: the next turn of a conversation, words and pictures in and out. */
export async function chatCompletions(desk: Desk, exchange: Exchange): Promise<void> {
  const request = checkBody(exchange.body, chatRequestSchema);
  const model = await findModel(desk, request.model, exchange.signal);
  const holder = desk.pictures.holder();
  try {
    await answer(desk, exchange, { request, model, holder });
  } finally {
    await holder.release();
  }
}

interface Asked {
  readonly request: ChatRequest;
  readonly model: ServedModel;
  readonly holder: PictureHolder;
}

async function answer(
  desk: Desk,
  { request: http, response, signal, log }: Exchange,
  { request, model, holder }: Asked,
): Promise<void> {
  const { engine, remembered } = desk;
  const plan = planReply(request, engine.defaults());
  const checkPicture = engine.checkPicture.bind(engine);
  const read = { holder, remembered, checkPicture, signal };
  const conversation = await readConversation(request.messages, read);
  const stopped = new AbortController();
  const stream = request.stream === true ? new EventStream(response) : null;
  const answer = new Answer({
    ...{ model, remembered, stream, stop: plan.stop },
    onStop: () => stopped.abort(new StudioError('cancelled', 'It is at its end.')),
  });
  try {
    const client = clientOf(request.safety_identifier ?? request.user, http);
    const done = await desk.queue.enter(client, signal, (before) =>
      stream?.comment(`${before} before this one`),
    );
    try {
      if (engine.isOwnersTurn()) stream?.comment("the app's own conversation goes first");
      answer.begin();
      const both = AbortSignal.any([signal, stopped.signal]);
      const emit: ReplyRun['emit'] = (event) => answer.take(event);
      const run = { engine, conversation, plan, holder, emit, signal: both };
      const end = await endOf(run, answer);
      log.info('reply served', { finish: end.finish, tokens: end.usage?.replyTokens });
      if (stream === null) sendJson(response, 200, answer.whole(end.finish, end.usage));
      else answer.end(end.finish, end.usage, request.stream_options?.include_usage === true);
    } finally {
      done();
    }
  } catch (error) {
    if (stream === null) throw error;
    log.warn('reply failed', { reason: error instanceof Error ? error.name : 'unknown' });
    stream.fail(error);
  }
}

/** A stop word ends a reply as its own end does. */
async function endOf(run: ReplyRun, answer: Answer): Promise<ReplyEnd> {
  try {
    const end = await runReply(run);
    // Cut short from outside: whoever still listens must not take it for whole.
    if (!answer.stopped) run.signal.throwIfAborted();
    return answer.stopped ? { ...end, finish: 'end' } : end;
  } catch (error) {
    if (answer.stopped) return { finish: 'end', usage: null };
    throw error;
  }
}
