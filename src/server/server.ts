/**
 * A server for programs on this machine: the OpenAI API as far as a model of words and pictures can follow it. Node's
 * own http does; five routes need no framework. Everything else is handed in.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { withFields, type Logger } from '../base/log.ts';
import { isStudioError, StudioError } from '../shared/errors.ts';
import { ApiError, toApiError } from './api-error.ts';
import { BodyBudget, readJsonBody } from './body.ts';
import { chatCompletions } from './chat-completions.ts';
import type { ServedEngine } from './engine.ts';
import { admit, crossOriginHeaders, type Guard } from './guard.ts';
import { imagesGenerations } from './images.ts';
import { listModels, showModel } from './models.ts';
import { HeldPictures, RememberedDrawings } from './pictures.ts';
import { FairQueue, type QueueState } from './queue.ts';
import { sendJson, type Desk, type Route } from './route.ts';

export interface LocalServerOptions {
  readonly engine: ServedEngine;
  /** 0: any that is free. */
  readonly port: number;
  readonly key: string;
  /** For pictures of requests, while they are answered; made for its owner alone, and emptied. */
  readonly folder: string;
  /** Pages that may ask, by origin. None by default. */
  readonly allowedOrigins?: readonly string[];
  /** Given ids and figures, never what a client or a model wrote. */
  readonly log: Logger;
  readonly onChange?: (state: QueueState) => void;
}

/** A server that listens. */
export interface LocalServer {
  readonly port: number;
  /** What clients are given as base URL. */
  readonly address: string;
  readonly state: QueueState;
  /** Stops listening, and ends every connection. */
  close(): Promise<void>;
}

/** The loopback interface: nobody outside this machine can reach it. */
const host = '127.0.0.1';

/** Limits on connections. Milliseconds; answers may take as long as they take. */
const limits = { headersMs: 10_000, requestMs: 120_000, connections: 256, headerBytes: 16_384 };

const routes: Readonly<Record<string, { readonly method: string; readonly route: Route }>> = {
  '/v1/chat/completions': { method: 'POST', route: chatCompletions },
  '/v1/images/generations': { method: 'POST', route: imagesGenerations },
  '/v1/models': { method: 'GET', route: listModels },
};
const modelPath = '/v1/models/';

/** A key that nobody guesses: 256 bits. */
export function freshKey(): string {
  return `sk-textbind-${randomBytes(32).toString('base64url')}`;
}

/**
 * Starts to listen on the loopback interface.
 * @throws StudioError `unsupported` where the port is taken or may not be used
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const desk: Desk = {
    engine: options.engine,
    queue: new FairQueue(options.onChange),
    pictures: new HeldPictures(options.folder),
    remembered: new RememberedDrawings(),
  };
  await desk.pictures.clear();
  const ending = new AbortController();
  const guard: Guard = {
    key: () => options.key,
    port: () => port,
    allowedOrigins: options.allowedOrigins ?? [],
  };
  const budget = new BodyBudget();
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) =>
      void answer(
        { desk, guard, budget, ending: ending.signal, log: options.log },
        request,
        response,
      ),
  );
  server.maxConnections = limits.connections;
  const port = await listen(server, options.port);
  options.log.info('server listens', { port });
  return {
    port,
    address: `http://${host}:${port}/v1`,
    get state() {
      return desk.queue.state;
    },
    async close() {
      ending.abort(new StudioError('cancelled', 'The server is being switched off.'));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Each answer under way says its last word first.
      setImmediate(() => server.closeAllConnections());
      await closed;
      await desk.pictures.clear();
      options.log.info('server closed', { port });
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new StudioError('unsupported', whyNotListening(error, port), { cause: error })),
    );
    server.listen(port, host, () => {
      const address = server.address();
      // A server that listens on a port has an address; only one on a pipe has a name.
      if (address !== null && typeof address === 'object') resolve(address.port);
    });
  });
}

function whyNotListening({ code, message }: NodeJS.ErrnoException, port: number): string {
  if (code === 'EADDRINUSE') {
    return `Port ${port} is in use by another program. Choose another, for instance ${port + 1}.`;
  }
  if (code === 'EACCES') return `Port ${port} may not be used. Choose one above 1024.`;
  return `Port ${port} cannot be listened on: ${message}`;
}

interface Counter {
  readonly desk: Desk;
  readonly guard: Guard;
  readonly budget: BodyBudget;
  readonly ending: AbortSignal;
  readonly log: Logger;
}

/** Answers one request, whatever happens; never rejects. */
async function answer(
  counter: Counter,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const id = randomUUID();
  const log = withFields(counter.log, { request: id });
  const headers = {
    ...safeHeaders,
    'x-request-id': id,
    ...crossOriginHeaders(request, counter.guard),
  };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new StudioError('cancelled', 'The client is gone.'));
  });
  const signal = AbortSignal.any([gone.signal, counter.ending]);
  try {
    if (isPreflight(request, counter.guard)) return void response.writeHead(204).end();
    await dispatch(counter, { id, request, response, signal, log });
  } catch (error) {
    refuse(response, error, log);
  }
}

const safeHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** A page that was allowed by name asks whether it may: without a key, which a browser does not send then. */
function isPreflight({ method, headers }: IncomingMessage, { allowedOrigins }: Guard): boolean {
  return method === 'OPTIONS' && allowedOrigins.includes(headers.origin ?? '');
}

async function dispatch(
  { desk, guard, budget }: Counter,
  exchange: Omit<Parameters<Route>[1], 'body' | 'rest'>,
): Promise<void> {
  const { request } = exchange;
  admit(request, guard);
  const { route, method, rest } = routeOf(request);
  if (request.method !== method) {
    const headers = { Allow: method };
    throw new ApiError(405, `This is asked with ${method}.`, { code: 'wrong_method', headers });
  }
  if (method === 'GET') return route(desk, { ...exchange, body: null, rest });
  const body = await readJsonBody(request, budget);
  try {
    await route(desk, { ...exchange, body: body.value, rest });
  } finally {
    body.release();
  }
}

function routeOf({ url = '' }: IncomingMessage) {
  const path = url.split('?', 1)[0] ?? '';
  const known = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (known !== undefined) return { ...known, rest: '' };
  if (path.startsWith(modelPath) && path.length > modelPath.length) {
    return { method: 'GET', route: showModel, rest: decoded(path.slice(modelPath.length)) };
  }
  const message = 'Here are /v1/chat/completions, /v1/images/generations and /v1/models.';
  throw new ApiError(404, message, { code: 'not_found' });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refuse(response: ServerResponse, thrown: unknown, log: Logger): void {
  if (response.headersSent || response.destroyed) {
    if (!isStudioError(thrown, 'cancelled')) log.warn('answer broken off');
    return void response.destroy();
  }
  const error = toApiError(thrown);
  const { status, code } = error;
  if (status >= 500) {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    log.error('request failed', { status, code, reason });
  } else log.warn('request refused', { status, code });
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  sendJson(response, status, error.body());
}
