import type { ServerResponse } from 'node:http';
import { toApiError } from './api-error.ts';

/** An answer in pieces (server-sent events), each `data: {...}`. Comments say what goes on between them. */
export class EventStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      Connection: 'keep-alive',
    });
    response.flushHeaders();
  }

  send(value: unknown): void {
    this.#write(`data: ${JSON.stringify(value)}\n\n`);
  }

  /** Clients skip it; it also keeps what lies between from giving the connection up. */
  comment(words: string): void {
    this.#write(`: ${words.replaceAll(/\s+/g, ' ')}\n\n`);
  }

  end(): void {
    this.#write('data: [DONE]\n\n');
    this.#response.end();
  }

  /** After the first piece there is no status any more: the error is the last piece. */
  fail(error: unknown): void {
    this.send(toApiError(error).body());
    this.#response.end();
  }

  #write(text: string): void {
    if (!this.#response.writableEnded && !this.#response.destroyed) this.#response.write(text);
  }
}
