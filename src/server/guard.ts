import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

/** Who may ask. */
export interface Guard {
  /** The key of this moment. */
  readonly key: () => string;
  readonly port: () => number;
  /** Pages that may ask, by their origin, e.g. `http://localhost:5173`. */
  readonly allowedOrigins: readonly string[];
}

/**
 * Refuses who may not ask, before anything of a request is read.
 * - Host: a page elsewhere whose name was made to lead to this machine (DNS rebinding) sends its own name.
 * - Origin: a browser names the page that asks; none may that was not allowed by name.
 * - The key, compared in constant time.
 *
 * @throws ApiError 403 or 401
 */
export function admit(request: IncomingMessage, guard: Guard): void {
  const { host, origin } = request.headers;
  if (!isOurHost(host, guard.port())) {
    throw new ApiError(403, 'This server answers under its own address only.', {
      code: 'wrong_host',
    });
  }
  if (origin !== undefined && !guard.allowedOrigins.includes(origin)) {
    throw new ApiError(403, 'Pages in a browser may not ask this server.', {
      code: 'wrong_origin',
    });
  }
  if (!hasKey(request.headers.authorization, guard.key())) {
    throw new ApiError(401, 'The key is missing or is not the one of this server.', {
      code: 'invalid_api_key',
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }
}

/** Names under which this machine reaches itself. */
const ownNames = ['127.0.0.1', 'localhost', '[::1]'] as const;

function isOurHost(host: string | undefined, port: number): boolean {
  return ownNames.some((name) => host?.toLowerCase() === `${name}:${port}`);
}

function hasKey(authorization: string | undefined, key: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  // Digests have one length, whatever was given.
  return timingSafeEqual(digest(given), digest(key));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What a page that was allowed by name is told beside the answer; nothing where none was. */
export function crossOriginHeaders(
  request: IncomingMessage,
  { allowedOrigins }: Guard,
): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !allowedOrigins.includes(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Headers': 'authorization, content-type, x-stainless-*',
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Max-Age': '600',
    Vary: 'Origin',
  };
}
