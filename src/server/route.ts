import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../base/log.ts';
import { ApiError } from './api-error.ts';
import type { ServedEngine, ServedModel } from './engine.ts';
import type { HeldPictures, RememberedDrawings } from './pictures.ts';
import type { FairQueue } from './queue.ts';

/** What all routes share. */
export interface Desk {
  readonly engine: ServedEngine;
  readonly queue: FairQueue;
  readonly pictures: HeldPictures;
  readonly remembered: RememberedDrawings;
}

/** One request under way. */
export interface Exchange {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The parsed body; null where the method has none. */
  readonly body: unknown;
  /** What stands behind the route's own path, e.g. a model's id. */
  readonly rest: string;
  /** Aborted when the client is gone, or the server ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export type Route = (desk: Desk, exchange: Exchange) => Promise<void>;

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': text.length,
  });
  response.end(text);
}

/**
 * The open model, where it is the one that a client asks for.
 * @throws ApiError 404 naming it
 */
export async function findModel(
  { engine }: Desk,
  asked: string | null | undefined,
  signal: AbortSignal,
): Promise<ServedModel> {
  const model = await engine.model(signal);
  if (asked === null || asked === undefined || asked === model.id || asked === model.name) {
    return model;
  }
  throw new ApiError(
    404,
    `The model "${asked.slice(0, 100)}" is not open here; "${model.id}" is.`,
    { code: 'model_not_found', param: 'model' },
  );
}

/**
 * Whose turn a request is in the line: who says who it asks for counts as one client, however many connections it has;
 * else each connection is one.
 */
export function clientOf(user: string | null | undefined, { socket }: IncomingMessage): string {
  const named = user ?? '';
  return named === '' ? `connection ${socket.remotePort ?? 0}` : `user ${named}`;
}
