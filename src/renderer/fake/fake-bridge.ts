import type {
  AppBridge,
  AppEventBody,
  AppEventName,
  AppReplyBody,
  AppRequestBody,
  AppRequestName,
} from '../../shared/contracts/app-ipc.ts';
import { appRequests } from '../../shared/contracts/app-ipc.ts';
import type { EngineStatus } from '../../shared/domain/engine-status.ts';
import { settingsSchema, type Settings } from '../../shared/domain/settings.ts';
import type { Turn } from '../../shared/domain/turn.ts';
import { StudioError, toWireError } from '../../shared/errors.ts';
import { FakeReply } from './fake-reply.ts';
import { FakeStore } from './fake-store.ts';

export interface FakeOptions {
  /** Multiplies every pause; 0 pauses for one turn of the event loop only. */
  readonly pace?: number;
  readonly platform?: string;
}

export interface FakeBridge extends AppBridge {
  readonly store: FakeStore;
  pictureUrl(hash: string): string;
  emit<Name extends AppEventName>(name: Name, body: AppEventBody<Name>): void;
  setEngine(change: Partial<EngineStatus>): void;
}

type Handlers = {
  readonly [Name in AppRequestName]: (
    body: AppRequestBody<Name>,
  ) => AppReplyBody<Name> | Promise<AppReplyBody<Name>>;
};

const readyEngine: EngineStatus = {
  state: 'ready',
  reason: null,
  restartInMs: null,
  crashes: 0,
  model: {
    name: 'TextBind mini',
    folder: 'models/textbind-mini',
    canDraw: true,
    maxSequenceLength: 2048,
    providers: {
      provider: 'cpu',
      fallbacks: [{ provider: 'cuda', reason: 'no CUDA library was found on this machine.' }],
    },
    seconds: 2.4,
  },
};

/**
 * Main and the engine in memory, behind the same bridge: it stores, streams, draws, stops, fails and crashes. For tests
 * and for looking at the window in a browser; the app never loads it.
 */
// eslint-disable-next-line max-lines-per-function -- a table: one handler for each request
export function createFakeBridge(options: FakeOptions = {}): FakeBridge {
  const pace = options.pace ?? 1;
  const store = new FakeStore();
  const receivers = new Set<(name: AppEventName, body: unknown) => void>();
  const replies = new Map<string, FakeReply>();
  let engine = readyEngine;
  let settings: Settings = settingsSchema.parse({});

  const emit: FakeBridge['emit'] = (name, body) => {
    for (const receive of receivers) receive(name, structuredClone(body));
  };
  const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms * pace));
  const setEngine = (change: Partial<EngineStatus>): void => {
    engine = { ...engine, ...change };
    emit('engine.status', engine);
  };

  async function restart(afterMs: number, reason: string): Promise<void> {
    setEngine({ state: 'crashed', reason, restartInMs: afterMs, crashes: engine.crashes + 1 });
    await wait(afterMs);
    setEngine({ state: 'loading', reason: null, restartInMs: null });
    await wait(1200);
    setEngine({ state: 'ready' });
  }

  function begin(conversationId: string, turn: Turn, redraw?: number): AppReplyBody<'chat.send'> {
    const entry = store.get(conversationId);
    if (replies.size > 0) throw new StudioError('busy', 'The model is still answering.');
    store.put(entry, turn);
    const reply = new FakeReply({
      store,
      emit,
      wait,
      conversationId,
      turn,
      drawing: settings.drawing,
      redraw: redraw ?? null,
      crash: () => void restart(3000, 'The process ended with signal SIGKILL.'),
    });
    replies.set(conversationId, reply);
    setEngine({ state: 'busy' });
    void wait(60)
      .then(() => reply.run())
      .finally(() => {
        replies.delete(conversationId);
        if (engine.state === 'busy') setEngine({ state: 'ready' });
        emit('conversations.changed', { conversation: entry.summary, removed: false });
      });
    emit('conversations.changed', { conversation: entry.summary, removed: false });
    return { conversation: entry.summary, turns: [turn] };
  }

  const handlers: Handlers = {
    'app.info': () => ({
      version: '0.1.0',
      electron: 'preview',
      platform: options.platform ?? 'linux',
      dataFolder: '/home/you/.config/TextBind Studio',
      logFolder: '/home/you/.config/TextBind Studio/logs',
    }),
    'app.openLogFolder': () => null,
    'app.openLink': () => null,
    'conversations.list': ({ query, limit, offset }) => {
      const found = store.list(query);
      return { conversations: found.slice(offset, offset + limit), total: found.length };
    },
    'conversations.open': ({ conversationId }) => {
      const { summary, turns } = store.get(conversationId);
      return { summary, turns };
    },
    'conversations.rename': ({ conversationId, title }) => {
      const conversation = store.update(store.get(conversationId), { title });
      emit('conversations.changed', { conversation, removed: false });
      return conversation;
    },
    'conversations.delete': ({ conversationId }) => {
      const entry = store.get(conversationId);
      entry.deleted = true;
      emit('conversations.changed', { conversation: entry.summary, removed: true });
      return null;
    },
    'conversations.restore': ({ conversationId }) => {
      const entry = store.get(conversationId);
      entry.deleted = false;
      return entry.summary;
    },
    'conversations.export': ({ format }) => ({
      path: `/home/you/Documents/conversation.${format === 'md' ? 'md' : 'json'}`,
    }),
    'pictures.add': async ({ bytes, name }) => {
      await wait(250);
      const size = await sizeOf(bytes);
      if (size === null) {
        throw new StudioError(
          'bad-input',
          `“${name}” is not a picture. PNG, JPEG, WebP, GIF and AVIF work.`,
        );
      }
      return store.addPicture(bytes, { ...size, origin: 'user', caption: null, recipe: null });
    },
    'pictures.save': () => ({ path: '/home/you/Pictures/picture.png' }),
    'chat.send': ({ conversationId, parts }) => {
      const said = parts
        .map((part) => (part.kind === 'text' ? part.text : ''))
        .join('')
        .trim();
      const title = said === '' ? 'A picture' : said.slice(0, 60);
      const entry = conversationId === null ? store.create(title) : store.get(conversationId);
      const user = store.turn(
        'user',
        parts.map((part) => {
          if (part.kind === 'text') return part;
          const picture = store.pictures.get(part.pictureId);
          if (picture === undefined)
            throw new StudioError('not-found', 'A picture of this message is gone.');
          return { kind: 'picture', picture };
        }),
      );
      store.put(entry, user);
      const started = begin(entry.summary.id, store.turn('assistant', [], { status: 'streaming' }));
      return { conversation: started.conversation, turns: [user, ...started.turns] };
    },
    'chat.stop': ({ conversationId }) => {
      replies.get(conversationId)?.stop();
      return null;
    },
    'chat.regenerate': ({ turnId }) => {
      const entry = store.entryOfTurn(turnId);
      entry.turns = entry.turns.filter(({ id }) => id !== turnId);
      return begin(entry.summary.id, store.turn('assistant', [], { status: 'streaming' }));
    },
    'chat.continue': ({ turnId }) => {
      const entry = store.entryOfTurn(turnId);
      const turn = entry.turns.find(({ id }) => id === turnId)!;
      return begin(entry.summary.id, { ...turn, status: 'streaming', error: null });
    },
    'chat.redraw': ({ turnId, partIndex, caption, seed }) => {
      const entry = store.entryOfTurn(turnId);
      const turn = entry.turns.find(({ id }) => id === turnId)!;
      const started = begin(entry.summary.id, { ...turn, status: 'streaming' }, partIndex);
      replies.get(entry.summary.id)?.aim(caption, seed);
      return started;
    },
    'models.list': () => ({
      models: [
        {
          name: 'TextBind mini',
          folder: 'models/textbind-mini',
          licence: 'Apache-2.0',
          canDraw: true,
          bytesOnDisk: 131_000_000,
          embedded: true,
          fault: null,
        },
        {
          name: 'TextBind 7B',
          folder: '/data/models/textbind-7b',
          licence: 'CC BY-NC 4.0, research only',
          canDraw: true,
          bytesOnDisk: 27_400_000_000,
          embedded: false,
          fault: 'textbind.json names a language model folder that does not exist.',
        },
      ],
    }),
    'settings.get': () => settings,
    'settings.set': (patch) => {
      settings = settingsSchema.parse({ ...settings, ...patch });
      emit('settings.changed', settings);
      return settings;
    },
    'engine.status': () => engine,
    'engine.restart': () => {
      setEngine({ state: 'starting', reason: null, restartInMs: null });
      void wait(800).then(() => setEngine({ state: 'ready', crashes: 0 }));
      return null;
    },
  };

  return {
    platform: options.platform ?? 'linux',
    store,
    emit,
    setEngine,
    pictureUrl: (hash) => store.urls.get(hash) ?? 'data:,',
    onEvent(receive) {
      receivers.add(receive);
      return () => receivers.delete(receive);
    },
    async request(name, body) {
      try {
        const checked = appRequests[name].request.parse(body);
        const handle = handlers[name] as (body: unknown) => unknown;
        return { ok: true, value: structuredClone(await handle(checked)) };
      } catch (error) {
        return { ok: false, error: toWireError(error) };
      }
    },
  };
}

async function sizeOf(bytes: Uint8Array): Promise<{ width: number; height: number } | null> {
  if (typeof createImageBitmap !== 'function') {
    // Where nothing can decode (tests), a PNG's own header will do.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isPng = bytes.length > 24 && view.getUint32(0) === 0x8950_4e47;
    return isPng ? { width: view.getUint32(16), height: view.getUint32(20) } : null;
  }
  try {
    const bitmap = await createImageBitmap(new Blob([bytes as BlobPart]));
    return { width: bitmap.width, height: bitmap.height };
  } catch {
    return null;
  }
}
