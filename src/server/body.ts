import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { excess, firstFault } from '../base/json-file.ts';
import { ApiError } from './api-error.ts';

/** Limits on what clients send. */
export const bodyLimits = {
  /** Of one body, bytes: a few large photographs as base64. */
  bytes: 48 * 1024 * 1024,
  /** Of all bodies that are being received or worked on, bytes. */
  allBytes: 256 * 1024 * 1024,
  /** Values within JSON, and how deep they lie. */
  values: 100_000,
  depth: 32,
  /** Of a body that is too large: how much of it is taken and thrown away, bytes, and how long the next piece is awaited, ms. */
  droppedBytes: 256 * 1024 * 1024,
  droppedQuietMs: 2_000,
} as const;

/** Counts the bytes of bodies that are held, so that many clients together cannot fill the memory. */
export class BodyBudget {
  #held = 0;

  /** @throws ApiError 503 where there is no room */
  take(bytes: number): void {
    if (this.#held + bytes > bodyLimits.allBytes) {
      throw new ApiError(503, 'Too much is being sent at once; try again in a moment.', {
        code: 'busy',
        headers: { 'Retry-After': '2' },
      });
    }
    this.#held += bytes;
  }

  giveBack(bytes: number): void {
    this.#held -= bytes;
  }
}

/** A body that was read, and what it costs to hold. */
export interface ReadBody {
  readonly value: unknown;
  release(): void;
}

/**
 * Reads a JSON body.
 * @throws ApiError 415, 413, 400 or 503
 */
export async function readJsonBody(
  request: IncomingMessage,
  budget: BodyBudget,
): Promise<ReadBody> {
  mustBeJson(request);
  const length = Number(request.headers['content-length'] ?? '0');
  if (length > bodyLimits.bytes) {
    await drop(request);
    throw tooLarge();
  }
  let taken = 0;
  const release = (): void => {
    budget.giveBack(taken);
    taken = 0;
  };
  const pieces: Buffer[] = [];
  try {
    const arriving: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const piece of arriving) {
      if (taken + piece.length > bodyLimits.bytes) {
        pieces.length = 0;
        release();
        await drop(request);
        throw tooLarge();
      }
      budget.take(piece.length);
      taken += piece.length;
      pieces.push(piece);
    }
    return { value: parse(Buffer.concat(pieces)), release };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Takes the rest of a body and throws it away, within limits: who is still sending reads no answer, and a connection
 * that is closed with bytes unread is reset, which takes the answer with it.
 */
function drop(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let dropped = 0;
    const quiet = setTimeout(end, bodyLimits.droppedQuietMs);
    function end(): void {
      clearTimeout(quiet);
      request.off('data', take).off('end', end).off('close', end);
      resolve();
    }
    function take(piece: Buffer): void {
      dropped += piece.length;
      if (dropped > bodyLimits.droppedBytes) end();
      else quiet.refresh();
    }
    request.on('data', take).once('end', end).once('close', end);
    if (request.readableEnded || request.destroyed) end();
  });
}

function mustBeJson({ headers }: IncomingMessage): void {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  // A page may send text/plain anywhere without asking first; JSON it may not.
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new ApiError(415, 'The body must be JSON, with Content-Type: application/json.');
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new ApiError(415, 'The body must not be compressed.');
  }
}

function tooLarge(): ApiError {
  const mebibytes = bodyLimits.bytes / 1024 / 1024;
  const headers = { 'x-should-retry': 'false' };
  const message = `The body is larger than ${mebibytes} MB. Send smaller pictures.`;
  return new ApiError(413, message, { code: 'too_large', headers });
}

function parse(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError(400, 'The body is not UTF-8.', { code: 'invalid_json', cause });
  }
  const fault = excess(text, bodyLimits);
  if (fault !== null) throw new ApiError(400, `The body is not read: ${fault}.`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's own words quote the body.
    throw new ApiError(400, 'The body is not JSON.', { code: 'invalid_json', cause });
  }
}

/** A body in the form that a route takes. @throws ApiError 400 naming the first field at fault */
export function checkBody<S extends z.ZodType>(value: unknown, schema: S): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const param = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new ApiError(400, `${firstFault(parsed.error)}`, {
    code: 'invalid_value',
    param: param === '' ? undefined : param,
  });
}
