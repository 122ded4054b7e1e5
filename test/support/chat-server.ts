/** A server on loopback that speaks as OpenAI's does, and faults by script. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one request gets instead of an answer. */
export type ChatFault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string;
      readonly message?: string;
    }
  /** The connection ends without a word. */
  | { readonly kind: 'drop' }
  /** Nothing comes until the client gives up. */
  | { readonly kind: 'stall' }
  /** 200, and this for a body. */
  | { readonly kind: 'body'; readonly body: string }
  /** An answer with these words. */
  | { readonly kind: 'say'; readonly text: string; readonly finish?: string };

export interface AskedChat {
  readonly authorization: string | null;
  readonly model: string;
  readonly system: string;
  readonly user: string;
  readonly seed: number;
  /** The captions in it. */
  readonly captions: readonly string[];
}

/** A conversation that obeys the rules: every picture once, the captions unchanged. */
export function goodConversation(captions: readonly string[]): string {
  const pairs = captions.map((caption, at) => {
    const shown = `<img${at}>${caption}</img${at}>`;
    return at % 2 === 0
      ? `Human: Look at number ${at + 1}. ${shown} What comes to mind?\nAssistant: That it is worth a second look, time number ${at + 1}.`
      : `Human: And is there another one?\nAssistant: Gladly, here it is, time number ${at + 1}. ${shown}`;
  });
  return [...pairs, 'Human: Thank you.\nAssistant: You are welcome, any time.'].join('\n');
}

export class ChatServerLookAlike {
  readonly asked: AskedChat[] = [];
  /** Told of the number of the request, from 0; null for an answer that is none of these. */
  script: (request: number, asked: AskedChat) => ChatFault | null = () => null;
  /** Another is refused by 401. */
  key: string | null = null;
  /** Requests that were there at the same time, at most. */
  mostAtOnce = 0;
  #now = 0;
  readonly #server: Server = createServer((request, response) => {
    void this.#answer(request, response);
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#now += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#now);
    response.on('close', () => (this.#now -= 1));
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
      return refuse(response, 404, 'there is nothing here');
    }
    const asked = readAsked(request, Buffer.concat(chunks).toString('utf8'));
    const number = this.asked.push(asked) - 1;
    if (this.key !== null && asked.authorization !== `Bearer ${this.key}`) {
      return refuse(response, 401, 'Incorrect API key provided');
    }
    this.#give(response, asked, this.script(number, asked));
  }

  #give(response: ServerResponse, asked: AskedChat, fault: ChatFault | null): void {
    switch (fault?.kind) {
      case 'status':
        return refuse(response, fault.status, fault.message ?? 'no', fault.retryAfter);
      case 'drop':
        return void response.destroy();
      case 'stall':
        return;
      case 'body':
        return void response.writeHead(200, { 'content-type': 'application/json' }).end(fault.body);
      case 'say':
        return say(response, asked, fault.text, fault.finish ?? 'stop');
      default:
        return say(response, asked, goodConversation(asked.captions), 'stop');
    }
  }
}

function readAsked({ headers }: IncomingMessage, body: string): AskedChat {
  const { model, messages, seed } = JSON.parse(body) as {
    model: string;
    seed: number;
    messages: { role: string; content: string }[];
  };
  const of = (role: string): string =>
    messages.find((message) => message.role === role)?.content ?? '';
  const user = of('user');
  const captions = [...user.matchAll(/<img\d+>(.*)<\/img\d+>/g)].map((found) => found[1]!);
  const authorization = headers.authorization ?? null;
  return { authorization, model, system: of('system'), user, seed, captions };
}

function say(response: ServerResponse, asked: AskedChat, content: string, finish: string): void {
  const usage = {
    prompt_tokens: Math.ceil((asked.system.length + asked.user.length) / 4),
    completion_tokens: Math.ceil(content.length / 4),
  };
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }];
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', choices, usage }));
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  retryAfter?: string,
): void {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (retryAfter !== undefined) headers['retry-after'] = retryAfter;
  response.writeHead(status, headers).end(JSON.stringify({ error: { message } }));
}
