// Who may ask, and what of it is read: by plain HTTP, where the official client would be too polite.
import { request as ask, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareEngine } from '../../src/main/processes/shared-engine.ts';
import { bodyLimits } from '../../src/server/body.ts';
import { createServedEngine } from '../../src/server/served-engine.ts';
import { startLocalServer } from '../../src/server/server.ts';
import type { LogFields } from '../../src/base/log.ts';
import { drawingSchema, samplingSchema } from '../../src/shared/domain/settings.ts';
import { until } from '../main/support/node-spawn.ts';
import { PlannedEngine } from '../main/support/planned-engine.ts';
import { serve, type Served } from './support.ts';

const planned = new PlannedEngine();
const shared = shareEngine(planned, planned);
const report = {
  ...{ name: 'Planned model', folder: '/models/planned', canDraw: true, maxSequenceLength: 100 },
  drawing: { side: 64, step: 8, guidance: 1 },
  providers: { provider: 'cpu', fallbacks: [] },
  seconds: 0,
} as const;
const engine = createServedEngine({
  engine: {
    whenReady: (signal) => planned.whenReady(signal),
    status: () => ({ model: { ...report, providers: { provider: 'cpu', fallbacks: [] } } }),
  },
  shared,
  checkPicture: async () => undefined,
  defaults: () => ({ sampling: samplingSchema.parse({}), drawing: drawingSchema.parse({}) }),
});

const lines: string[] = [];
const write = (message: string, fields?: LogFields): void => {
  lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
};
const log = { info: write, warn: write, error: write };
let served: Served;
beforeAll(async () => {
  served = await serve(engine, { log });
});
afterAll(() => served.close());

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends a request with these headers and no others but the key, where none is named. */
function send(
  path: string,
  { headers = {}, body, ...options }: RequestOptions & { body?: string | Buffer } = {},
): Promise<Answered> {
  const { port } = served.server;
  const all = { Authorization: `Bearer ${served.key}`, ...headers };
  return new Promise((resolve, reject) => {
    const sent = ask({ host: '127.0.0.1', port, path, headers: all, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  send('/v1/chat/completions', {
    agent: false,
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  });

describe('who may ask', () => {
  it('is who has the key', async () => {
    expect((await send('/v1/models')).status).toBe(200);
    const authorizations = [
      ...['', 'Bearer', 'Bearer ', `Basic ${served.key}`, `Bearer ${served.key}x`],
      ...[served.key, `Bearer ${served.key.slice(0, -1)}`, `Bearer x ${served.key}`],
    ];
    for (const Authorization of authorizations) {
      const { status, headers, body } = await send('/v1/models', { headers: { Authorization } });
      expect([Authorization, status]).toEqual([Authorization, 401]);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'invalid_api_key' } });
    }
    const stranger = new OpenAI({ apiKey: 'sk-wrong', baseURL: served.server.address });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  it('names this machine as host: a name that was made to lead here is refused', async () => {
    const { port } = served.server;
    for (const Host of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      `[::1]:${port}`,
    ]) {
      expect((await send('/v1/models', { headers: { Host } })).status).toBe(200);
    }
    for (const Host of [
      ...['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`],
      ...['localhost', `localhost:${port + 1}`, `0.0.0.0:${port}`, `localhost:${port}@evil`],
    ]) {
      const { status, body } = await send('/v1/models', { headers: { Host } });
      expect([Host, status]).toEqual([Host, 403]);
      expect(body).not.toContain('planned');
    }
  });

  it('is no page of a browser', async () => {
    for (const Origin of ['https://evil.example', 'http://localhost:3000', 'null', 'file://']) {
      const answered = await send('/v1/models', { headers: { Origin } });
      expect([Origin, answered.status]).toEqual([Origin, 403]);
      expect(answered.headers['access-control-allow-origin']).toBeUndefined();
    }
    const preflight = await send('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.status).toBe(403);
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('is a page that was allowed by name, with the key', async () => {
    const origin = 'http://localhost:5173';
    const open = await serve(engine, { allowedOrigins: [origin] });
    try {
      const url = `${open.server.address}/models`;
      const preflight = await fetch(url, { method: 'OPTIONS', headers: { Origin: origin } });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
      expect((await fetch(url, { headers: { Origin: origin } })).status).toBe(401);
      const Authorization = `Bearer ${open.key}`;
      const asked = await fetch(url, { headers: { Origin: origin, Authorization } });
      expect([asked.status, asked.headers.get('vary')]).toEqual([200, 'Origin']);
      const other = { Origin: 'http://localhost:5174', Authorization };
      expect((await fetch(url, { headers: other })).status).toBe(403);
    } finally {
      await open.close();
    }
  });

  it('is on this machine', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((each) => each !== undefined && !each.internal && each.family === 'IPv4');
    if (outside === undefined) return;
    const refused = await new Promise<string>((resolve) => {
      const socket = connect(served.server.port, outside.address);
      socket.once('connect', () => resolve('connected'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
    expect(refused).toBe('ECONNREFUSED');
  });
});

describe('what is asked', () => {
  const hello = { model: 'planned', messages: [{ role: 'user', content: 'Hello' }] };

  it('has a path and a method that there are', async () => {
    expect((await send('/')).status).toBe(404);
    expect((await send('/v1/toString')).status).toBe(404);
    expect((await send('/v1/models/../../etc/passwd')).status).toBe(404);
    expect((await send('/v1/models/%ff')).status).toBe(404);
    const wrong = await send('/v1/chat/completions');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
    expect((await send('/v1/models', { method: 'DELETE' })).status).toBe(405);
  });

  it('is JSON, and said to be', async () => {
    const text = JSON.stringify(hello);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      '',
      'application/jsonp',
    ]) {
      expect((await post(text, { 'Content-Type': type })).status).toBe(415);
    }
    expect((await post(text, { 'Content-Encoding': 'gzip' })).status).toBe(415);
    expect((await post(text, { 'Content-Type': 'application/json; charset=utf-8' })).status).toBe(
      200,
    );
    for (const body of ['', '{', 'null', '[]', '"x"', '{"model":', Buffer.from([0xff, 0xfe])]) {
      const { status, body: said } = await post(body);
      expect([body, status]).toEqual([body, 400]);
      expect(JSON.parse(said)).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
  });

  it('quotes nothing of what was sent', async () => {
    const { body } = await post('{"secret words": oops');
    expect(body).not.toContain('secret');
    await post(JSON.stringify({ ...hello, messages: [{ role: 'user', content: 'secret words' }] }));
    expect(lines.join('\n')).not.toContain('secret');
    expect(lines.join('\n')).not.toContain(served.key);
  });

  it('has a size: what is too large is told so, and not kept', async () => {
    const length = bodyLimits.bytes + 1;
    const said = await post('{}', { 'Content-Length': String(length) }).catch(() => null);
    expect(said === null || said.status === 413).toBe(true);
    const piece = Buffer.alloc(1024 * 1024, ' ');
    const whole = Buffer.concat(Array.from({ length: 49 }, () => piece));
    const { status, body } = await post(whole);
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'too_large' } });
    await expect(
      served.client.chat.completions.create({
        model: 'planned',
        messages: [{ role: 'user', content: 'x'.repeat(length) }],
      }),
    ).rejects.toMatchObject({ status: 413 });
  });

  it('is not deeper or wider than can be read', async () => {
    expect((await post('['.repeat(100_000))).status).toBe(400);
    expect((await post(`{"model":"x","messages":[${'1,'.repeat(200_000)}1]}`)).status).toBe(400);
    const headers = { 'X-Long': 'x'.repeat(20_000) };
    expect((await send('/v1/models', { headers })).status).toBe(431);
  });

  it('survives nonsense on the line', async () => {
    for (const bytes of [
      '\0\0\0',
      'GET',
      'GET / HTTP/9\r\n\r\n',
      'POST /v1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(served.server.port, '127.0.0.1', () => socket.end(bytes));
        socket.on('close', () => resolve()).on('error', () => resolve());
        socket.resume();
      });
    }
    expect((await send('/v1/models')).status).toBe(200);
  });
});

describe('answers', () => {
  const ask = () =>
    served.client.chat.completions.create({
      model: 'planned',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    });

  it('say what went wrong inside, and whether to come again', async () => {
    planned.plans.push({ ends: 'die' });
    const died = await post(
      JSON.stringify({ model: 'planned', messages: [{ role: 'user', content: 'Hello' }] }),
    );
    expect([died.status, died.headers['x-should-retry']]).toEqual([503, 'true']);
    expect(JSON.parse(died.body)).toMatchObject({ error: { code: 'engine_stopped' } });
    planned.plans.push({ says: 'So', ends: 'fail' });
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const { choices } of await ask()) pieces.push(choices[0]?.delta.content ?? '');
    })();
    await expect(reading).rejects.toMatchObject({ code: 'out_of_memory' });
    expect(pieces.join('')).toBe('So');
  });

  it('carry what a picture was not drawn for as words', async () => {
    planned.plans.push({ says: 'Look: [a cat].' });
    const answer = await served.client.chat.completions.create({
      model: 'planned',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    expect(answer.choices[0]?.message.content).toMatch(
      /^Look: !\[a cat\]\(textbind-picture:[0-9a-f]{64}\)\.$/,
    );
  });

  it('end when the server does', async () => {
    const other = await serve(engine);
    planned.plans.push({ says: 'So', ends: 'hang' });
    const stream = await other.client.chat.completions.create({
      ...{ model: 'planned', messages: [{ role: 'user', content: 'Hello' }], stream: true },
    });
    const reading = (async () => {
      for await (const { choices } of stream)
        if (choices[0]?.delta.content === 'So') void other.close();
    })();
    await expect(reading).rejects.toThrow();
    await until(() => !other.server.state.active, 'it leaves off');
    await expect(other.client.models.list()).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
  });

  it('is said where its port is taken', async () => {
    const again = startLocalServer({
      ...{ engine, port: served.server.port, key: 'k', folder: `${served.folder}-2`, log },
    });
    await expect(again).rejects.toThrow(/is in use by another program/);
  });
});
