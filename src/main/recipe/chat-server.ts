/** A server that speaks as OpenAI's does (`/chat/completions`), asked over Node's own sockets. */
import { z } from 'zod';
import { errorText, mostAnswerBytes, readBody } from './server-answer.ts';
import { isStudioError, reasonOf } from '../../shared/errors.ts';
import { ask } from '../downloads/http.ts';
import { roughTokens } from './prompts.ts';
import { WriterFault, type Writer, type WritingRequest, type WrittenAnswer } from './writer.ts';

/** A large model on a small machine thinks long before its first byte. */
const silenceMs = 15 * 60_000;

export interface ChatServer {
  /** Up to and with `/v1`. */
  readonly address: string;
  readonly model: string;
  /** Null where it wants none. */
  readonly key: () => string | null;
  readonly proxy: () => string | null;
}

const choiceSchema = z.object({
  message: z.object({ content: z.string() }),
  finish_reason: z.string().nullish(),
});
const answerSchema = z.object({
  choices: z.tuple([choiceSchema], choiceSchema),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

export function createChatServerWriter(server: ChatServer): Writer {
  return {
    async write(request, signal) {
      const { status, text, retryAfter } = await post(server, bodyOf(server, request), signal);
      if (status === 200) return readAnswer(text, request, server);
      throw faultOf(status, text, retryAfter, server);
    },
  };
}

function bodyOf({ model }: ChatServer, request: WritingRequest): string {
  const { system, user, maxTokens, temperature, seed } = request;
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: user },
  ];
  return JSON.stringify({ model, messages, temperature, seed, max_tokens: maxTokens });
}

async function post(server: ChatServer, body: string, signal: AbortSignal) {
  const key = server.key();
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
  };
  const asking = { headers, body, signal, silenceMs, proxy: server.proxy(), nearby: true };
  try {
    const response = await ask(new URL(`${server.address}/chat/completions`), asking);
    const text = await readBody(response, mostAnswerBytes);
    const retryAfter = response.headers['retry-after'] ?? null;
    return { status: response.statusCode ?? 0, text, retryAfter };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isStudioError(error, 'bad-input')) {
      throw new WriterFault('stop', error.message, 'Give an address that begins with https.');
    }
    const reason = reasonOf(error);
    throw new WriterFault(
      'passing',
      `${server.address} does not answer: ${reason}.`,
      'See that the server runs and that the address is right, then go on.',
      { cause: error },
    );
  }
}

function readAnswer(text: string, request: WritingRequest, { address }: ChatServer): WrittenAnswer {
  const parsed = answerSchema.safeParse(parsedOrNull(text));
  if (!parsed.success) {
    throw new WriterFault('form', `${address} gave an answer without a message.`, 'Try again.');
  }
  const [choice] = parsed.data.choices;
  const { content } = choice.message;
  if (content.trim() === '') {
    throw new WriterFault('form', `${address} gave an empty answer.`, 'Try again.');
  }
  const { usage } = parsed.data;
  return {
    text: content,
    promptTokens: usage?.prompt_tokens ?? roughTokens(request.system + request.user),
    replyTokens: usage?.completion_tokens ?? roughTokens(content),
    isCut: choice.finish_reason === 'length',
  };
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a refusal means. @param retryAfter seconds, or a date */
export function faultOf(
  status: number,
  text: string,
  retryAfter: string | null,
  { address, model }: ChatServer,
): WriterFault {
  const said = errorText(text);
  const words = `${address} answered ${status}${said === '' ? '' : `: ${said}`}.`;
  switch (true) {
    case status === 401 || status === 403:
      return new WriterFault('stop', words, 'Put in a key that this server takes, then go on.');
    case status === 402:
      return new WriterFault('stop', words, 'The account there has no credit left.');
    case status === 404:
      return new WriterFault(
        'stop',
        words,
        `See whether the address ends as the server has it (often /v1), and whether it has a model called ${model}.`,
      );
    case status === 429:
      return new WriterFault('wait', words, 'The server takes no more requests for now.', {
        waitMs: waitOf(retryAfter),
      });
    case status >= 500:
      return new WriterFault('passing', words, 'The server has trouble of its own: go on later.', {
        waitMs: waitOf(retryAfter),
      });
    default:
      return new WriterFault('stop', words, 'See what it says of the request, then go on.');
  }
}

function waitOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const seconds = Number(retryAfter);
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}
