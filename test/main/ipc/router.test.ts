import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  appRequests,
  type AppReplyEnvelope,
  type AppRequestName,
} from '../../../src/shared/contracts/app-ipc.ts';
import { appChannels } from '../../../src/shared/contracts/app-channels.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { createEmit } from '../../../src/main/ipc/events.ts';
import type { AppHandlers } from '../../../src/main/ipc/handlers.ts';
import { createHandlers } from '../../../src/main/ipc/index.ts';
import { setupRequests } from '../../../src/main/ipc/router.ts';
import { silentLogger } from '../../../src/base/log.ts';
import type { AppServices } from '../../../src/main/services.ts';

type Invoke = (event: unknown, name: unknown, body: unknown) => Promise<AppReplyEnvelope>;

function setup(over: Partial<Record<AppRequestName, unknown>> = {}) {
  let invoke: Invoke | undefined;
  const called: string[] = [];
  const refuse = new Proxy(
    {},
    { get: (_target, name) => over[name as AppRequestName] ?? (() => called.push(String(name))) },
  );
  setupRequests({
    channel: {
      handle(channel, listener) {
        expect(channel).toBe(appChannels.request);
        invoke = listener as Invoke;
      },
    },
    handlers: refuse as AppHandlers,
    isOurs: (event) => event === 'ours',
    log: silentLogger,
  });
  return { invoke: invoke!, called };
}

const info = { version: '1', electron: '2', platform: 'linux', dataFolder: '/d', logFolder: '/l' };

describe('requests', () => {
  test('are answered by their handler', async () => {
    const { invoke } = setup({ 'app.info': () => info });
    expect(await invoke('ours', 'app.info', null)).toEqual({ ok: true, value: info });
  });

  test('from elsewhere are refused, whatever they ask', async () => {
    const { invoke, called } = setup();
    for (const event of ['a frame', null, undefined, {}]) {
      expect(await invoke(event, 'app.info', null)).toMatchObject({
        ok: false,
        error: { kind: 'bad-input' },
      });
    }
    expect(called).toEqual([]);
  });

  test.each([
    ['nothing.here'],
    ['__proto__'],
    ['constructor'],
    ['toString'],
    [7],
    [null],
    [undefined],
  ])('for what is not in the contract are refused: %s', async (name) => {
    const { invoke, called } = setup();
    expect(await invoke('ours', name, null)).toMatchObject({
      ok: false,
      error: { kind: 'bad-input' },
    });
    expect(called).toEqual([]);
  });

  test.each<[AppRequestName, unknown]>([
    ['app.info', {}],
    ['conversations.list', { query: null, limit: 0, offset: 0 }],
    ['conversations.list', { query: null, limit: 1e9, offset: 0 }],
    ['conversations.open', { conversationId: "x' OR 1=1" }],
    [
      'conversations.rename',
      { conversationId: '00000000-0000-4000-8000-000000000000', title: '  ' },
    ],
    ['exchange.export', { conversationId: '00000000-0000-4000-8000-000000000000', format: 'exe' }],
    ['pictures.add', { bytes: 'text', name: 'x' }],
    ['pictures.add', { bytes: [1, 2], name: 'x' }],
    ['chat.send', { conversationId: null, parts: [] }],
    ['chat.send', { conversationId: null, parts: [{ kind: 'picture', path: '/etc/passwd' }] }],
    [
      'chat.redraw',
      { turnId: '00000000-0000-4000-8000-000000000000', partIndex: -1, caption: 'x', seed: null },
    ],
    ['settings.set', { theme: 'pink' }],
  ])('with a body that is not agreed never reach the handler: %s %j', async (name, body) => {
    const { invoke, called } = setup();
    const reply = await invoke('ours', name, body);
    expect(reply).toMatchObject({ ok: false, error: { kind: 'bad-input' } });
    expect(called).toEqual([]);
  });

  test('a handler that replies something else is an internal fault, and nothing of it gets out', async () => {
    const { invoke } = setup({ 'app.info': () => ({ password: 'x' }) });
    const reply = await invoke('ours', 'app.info', null);
    expect(reply).toMatchObject({ ok: false, error: { kind: 'internal' } });
    const { invoke: again } = setup({ 'app.info': () => ({ ...info, password: 'x' }) });
    expect(await again('ours', 'app.info', null)).toEqual({ ok: true, value: info });
  });

  test('what a handler throws comes as its kind', async () => {
    const { invoke } = setup({
      'app.info': () => {
        throw new StudioError('busy', 'Not now.');
      },
    });
    expect(await invoke('ours', 'app.info', null)).toMatchObject({
      ok: false,
      error: { kind: 'busy', message: 'Not now.' },
    });
  });
});

describe('the contract', () => {
  test('has a handler for every name', () => {
    // Nothing of the services is called when the handlers are made.
    const services = new Proxy({}, { get: () => ({}) }) as AppServices;
    expect(Object.keys(createHandlers(services)).sort()).toEqual(Object.keys(appRequests).sort());
    expectTypeOf<keyof AppHandlers>().toEqualTypeOf<AppRequestName>();
  });

  test('a missing handler does not compile', () => {
    const made = createHandlers(new Proxy({}, { get: () => ({}) }) as AppServices);
    const { 'chat.stop': _stop, ...rest } = made;
    // @ts-expect-error chat.stop is missing
    const incomplete: AppHandlers = rest;
    expect(Object.keys(incomplete)).not.toContain('chat.stop');
  });
});

describe('events', () => {
  test('are checked before they are sent', () => {
    const sent: unknown[] = [];
    const errors: string[] = [];
    const log = { ...silentLogger, error: (message: string) => void errors.push(message) };
    const emit = createEmit((...message) => sent.push(message), log);
    const error = { kind: 'internal', message: 'x', detail: null } as const;
    emit('app.problem', { error });
    emit('app.problem', { error: { ...error, kind: 'odd' as never } });
    expect(sent).toEqual([[appChannels.event, 'app.problem', { error }]]);
    expect(errors).toEqual(['malformed event']);
  });
});
