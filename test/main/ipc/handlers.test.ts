import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createModelLibrary } from '../../../src/main/models/model-library.ts';
import { createRecipes } from '../../../src/main/recipe/create.ts';
import type { Keychain } from '../../../src/main/downloads/token.ts';
import { createHandlers } from '../../../src/main/ipc/index.ts';
import { UpdateService } from '../../../src/main/updates/update-service.ts';
import { Training } from '../../../src/main/training/training.ts';
import { VersionService } from '../../../src/main/conversations/version-service.ts';
import { readJsonFile } from '../../../src/base/json-file.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { textbindConversationSchema } from '../../../src/shared/domain/textbind-conversation.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { DoctorService } from '../../../src/main/doctor-service.ts';
import { FitBook } from '../../../src/library/fit/fit-book.ts';
import { FitService } from '../../../src/main/fit-service.ts';
import { LocalServerService } from '../../../src/main/local-server-service.ts';
import type { Spawn } from '../../../src/main/processes/child.ts';
import { shareEngine } from '../../../src/main/processes/shared-engine.ts';
import type { EngineStatus } from '../../../src/shared/domain/engine-status.ts';
import { decoderSpawn } from '../support/decoder-process.ts';
import { BenchService } from '../../../src/main/conversations/bench-service.ts';
import { ComparisonService } from '../../../src/main/conversations/comparison-service.ts';
import { openTallyBook } from '../../../src/main/conversations/tally.ts';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { Gatherer } from '../../../src/main/exchange/gather.ts';
import { ExchangeService } from '../../../src/main/exchange/service.ts';
import { Gallery } from '../../../src/main/pictures/gallery.ts';
import { createOutgoingPictures } from '../../../src/main/pictures/outgoing.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import type { AppServices } from '../../../src/main/services.ts';
import { encodePng } from '../../support/png.ts';
import { drawnEvent, ScriptedEngine } from '../support/scripted-engine.ts';
import { openTestStorage } from '../support/storage.ts';
import { until } from '../support/node-spawn.ts';

const notRunning: EngineStatus = {
  ...{ state: 'ready', reason: null, restartInMs: null, crashes: 0, model: null },
};

const noKeychain = (): Keychain => ({
  isEncryptionAvailable: () => false,
  encryptString: (text) => Buffer.from(text),
  decryptString: String,
});

const noProcess: Spawn = () => {
  throw new Error('No process is started here.');
};

function makeHandlers(answers: { where?: string | null; open?: boolean } = {}) {
  const { store, folder } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const engine = new ScriptedEngine();
  const did: string[] = [];
  const emit: AppServices['emit'] = (name, body) =>
    void did.push('event' in body ? `${name} ${body.event.kind}` : name);
  const parts = { store, pictures, engine, clock: systemClock, log: silentLogger, emit };
  const chat = new ChatService(parts);
  const places: AppServices['places'] = {
    async askWhere(suggested) {
      did.push(`askWhere ${suggested}`);
      return answers.where === null ? null : path.join(folder, suggested);
    },
    askFolder: async () => null,
    askWhich: async () => null,
    askForData: async () => null,
    showInFolder: (file) => void did.push(`show ${path.basename(file)}`),
    showFile: (file) => void did.push(`showFile ${path.basename(file)}`),
    edit: (command) => void did.push(`edit ${command}`),
    askToOpen: async (link) => (did.push(`askToOpen ${link}`), answers.open ?? false),
    openInBrowser: async (link) => void did.push(`open ${link}`),
    openFolder: async (place) => void did.push(`openFolder ${place}`),
    startDrag: (file) => void did.push(`drag ${path.basename(file)}`),
  };
  const handlers = createHandlers({
    store,
    pictures,
    outgoing: createOutgoingPictures(path.join(folder, 'outgoing'), pictures),
    thumbnails: { read: async () => null, ours: async () => null },
    gallery: new Gallery(store.gallery),
    erasure: { erase: async (ids) => ids.forEach((id) => void store.conversations.erase(id)) },
    decoder: {
      prepare: () => void did.push('expect a picture'),
      async check(_, name) {
        did.push(`decode ${name}`);
        if (name === 'broken.png') throw new StudioError('bad-input', `${name} is broken`);
      },
    },
    chat,
    versions: new VersionService({ store, clock: systemClock, emit }, chat),
    bench: new BenchService(parts, chat),
    gatherer: new Gatherer({ store, pictures }),
    comparison: new ComparisonService({
      ...{ store, pictures, clock: systemClock, log: silentLogger, emit, chat },
      engines: {
        withModel: async () => engine,
        makeRoom: async () => () => undefined,
        leave: () => undefined,
      },
      tally: openTallyBook(path.join(folder, 'comparisons.jsonl')),
    }),
    exchange: new ExchangeService({
      store,
      pictures,
      backups: { list: () => [], restoreTo: () => undefined },
      checkPicture: async () => undefined,
      places,
      printPdf: null,
      writtenBy: 'test',
      folder,
      clock: systemClock,
      emit,
      log: silentLogger,
    }),
    clock: systemClock,
    emit,
    engine: {
      status: () => ({ state: 'ready', reason: null, restartInMs: null, crashes: 0, model: null }),
      restart: async () => void did.push('restart'),
      openChosen: async () => void did.push('openChosen'),
    },
    training: new Training({
      places: {
        training: path.join(folder, 'training'),
        trainer: path.join(folder, 'trainer'),
        ownModels: path.join(folder, 'own'),
        smallModel: path.join(folder, 'models', 'small'),
      },
      clock: systemClock,
      log: silentLogger,
      stamp: () => 0,
      emit,
    }),
    ...createModelLibrary({
      modelsFolders: [{ folder: path.join(folder, 'models'), embedded: true }],
      ownModels: path.join(folder, 'own'),
      fetched: {
        parts: path.join(folder, 'parts'),
        downloads: path.join(folder, 'downloads'),
        token: path.join(folder, 'hub-token'),
        catalogues: [],
      },
      spawn: noProcess,
      spawnKeeper: noProcess,
      keychain: noKeychain,
      graphics: async () => [],
      onMoved: () => Promise.resolve(),
      onChanged: () => undefined,
      network: () => store.settings.get().network,
      clock: systemClock,
      log: silentLogger,
      emit,
    }).services,
    ...createRecipes({
      folder: path.join(folder, 'training'),
      defaults: path.join(folder, 'recipe'),
      keys: path.join(folder, 'writer-keys'),
      keychain: noKeychain,
      proxy: () => null,
      engine: { lend: () => Promise.reject(new Error('No model.')), contextLength: () => null },
      runtime: () => {
        throw new Error('No process is started here.');
      },
      clock: systemClock,
      log: silentLogger,
      onChange: () => undefined,
    }),
    licences: () => [],
    graphics: async () => [],
    updates: new UpdateService({
      updater: 'A test has no update server.',
      mayLook: () => false,
      busyWith: () => null,
      onStatus: () => undefined,
      restart: () => undefined,
      clock: systemClock,
      log: silentLogger,
    }),
    places,
    doctor: new DoctorService({
      ...{ spawn: decoderSpawn(), clock: systemClock, log: silentLogger, modelsFolders: [] },
      info: {
        ...{ version: '1', electron: '1', platform: 'linux' },
        ...{ dataFolder: folder, logFolder: folder },
      },
      python: async () => null,
      book: new FitBook(path.join(folder, 'fit.json')),
      settings: () => store.settings.get(),
      engine: () => notRunning,
      chosenModel: () => '',
    }),
    fit: new FitService({
      ...{ spawn: decoderSpawn(), clock: systemClock, log: silentLogger, modelsFolders: [] },
      book: new FitBook(path.join(folder, 'fit.json')),
      settings: () => store.settings.get(),
      engine: () => notRunning,
    }),
    localServer: new LocalServerService({
      ...{ state: store.settings, folder: path.join(folder, 'requests'), log: silentLogger },
      engine: { whenReady: (signal) => engine.whenReady(signal), status: () => notRunning },
      shared: shareEngine(engine, engine),
      decoder: { check: async () => undefined },
      defaults: () => store.settings.get(),
      onStatus: () => undefined,
    }),
    info: {
      version: '1',
      electron: '2',
      platform: 'linux',
      dataFolder: folder,
      logFolder: '/logs',
    },
  });
  return { handlers, engine, did, store, pictures, folder };
}

async function conversed(answers: { where?: string | null } = {}) {
  const made = makeHandlers(answers);
  const { handlers, engine, did } = made;
  await handlers['pictures.expect'](null);
  expect(did).toEqual(['expect a picture']);
  const picture = await handlers['pictures.add']({ bytes: encodePng(8, 6), name: 'cat.png' });
  const { conversation } = await handlers['chat.send']({
    conversationId: null,
    parts: [
      { kind: 'text', text: 'What <image> is ' },
      { kind: 'picture', pictureId: picture.id },
    ],
  });
  const asked = await engine.next(1);
  await asked.emit(
    { kind: 'text', text: 'A *cat*.' },
    { kind: 'caption-started' },
    drawnEvent('a [red] apple'),
  );
  await until(() => did.includes('chat.reply picture'), 'the picture');
  await asked.end();
  await until(() => did.includes('chat.reply ended'), 'the end');
  return { ...made, picture, conversation };
}

test('a picture is decoded before it is stored', async () => {
  const { handlers, did, folder } = makeHandlers();
  await expect(
    handlers['pictures.add']({ bytes: encodePng(9, 9), name: 'broken.png' }),
  ).rejects.toMatchObject({ kind: 'bad-input', message: 'broken.png is broken' });
  await expect(
    handlers['pictures.add']({ bytes: new Uint8Array(20), name: 'no.png' }),
  ).rejects.toMatchObject({ kind: 'bad-input' });
  expect(did).toEqual(['decode broken.png']);
  expect(existsSync(path.join(folder, 'pictures'))).toBe(false);
});

describe('conversations', () => {
  test('deleting takes it out of the list and says so; restoring brings it back', async () => {
    const { handlers, conversation, did } = await conversed();
    const list = async () =>
      (await handlers['conversations.list']({ query: null, limit: 9, offset: 0 })).total;
    const id = { conversationId: conversation.id };
    await handlers['conversations.delete'](id);
    expect(await list()).toBe(0);
    expect(() => handlers['conversations.open'](id)).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
    expect(() => handlers['conversations.delete'](id)).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
    expect(await handlers['conversations.restore'](id)).toMatchObject({
      id: conversation.id,
      turnCount: 2,
    });
    expect(await list()).toBe(1);
    expect(did.filter((name) => name === 'conversations.changed').length).toBeGreaterThanOrEqual(3);
  });

  test('the trash shows what was deleted; out of it there is a way back, and one for good', async () => {
    const { handlers, conversation, store } = await conversed();
    const id = { conversationId: conversation.id };
    const trash = async () => handlers['trash.list']({ limit: 9, offset: 0 });
    expect(await trash()).toEqual({ conversations: [], total: 0 });
    expect(() => handlers['trash.delete'](id)).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
    await handlers['conversations.delete'](id);
    expect(await trash()).toMatchObject({
      total: 1,
      conversations: [
        { id: conversation.id, turnCount: 2, deletedAt: expect.any(Number) as number },
      ],
    });
    await handlers['conversations.restore'](id);
    expect(await trash()).toMatchObject({ total: 0 });
    await handlers['conversations.delete'](id);
    await handlers['trash.delete'](id);
    expect(() => handlers['conversations.restore'](id)).toThrow();
    store.conversations.create('00000000-0000-4000-8000-000000000009', 'Another', 1);
    await handlers['conversations.delete']({
      conversationId: '00000000-0000-4000-8000-000000000009',
    });
    expect(await handlers['trash.empty'](null)).toEqual({ deleted: 1 });
    expect(await trash()).toMatchObject({ total: 0 });
  });

  test('a deleted message leaves the list of turns and comes back with its deletion', async () => {
    const { handlers, conversation, store } = await conversed();
    const turns = store.turns.list(conversation.id);
    const { deletionId, conversation: after } = await handlers['versions.delete']({
      turnId: turns[0]!.id,
    });
    expect(after).toMatchObject({ summary: { id: conversation.id, turnCount: 0 }, turns: [] });
    const restored = await handlers['versions.restore']({ deletionId });
    expect(restored.turns).toEqual(turns);
  });

  test('a search of blanks is the plain list', async () => {
    const { handlers } = await conversed();
    const find = async (query: string) =>
      (await handlers['conversations.list']({ query, limit: 9, offset: 0 })).total;
    expect([await find('  '), await find('apple'), await find('pear')]).toEqual([1, 1, 0]);
  });

  test('Markdown: words, links to pictures beside it, captions escaped', async () => {
    const { handlers, conversation, folder } = await conversed();
    const reply = await handlers['exchange.export']({
      conversationIds: [conversation.id],
      format: 'md',
    });
    const text = readFileSync(reply!.path, 'utf8');
    expect(text).toContain('A *cat*.');
    expect(text).toContain('![a \\[red\\] apple](');
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map((match) =>
      decodeURIComponent(match[1]!),
    );
    expect(links).toHaveLength(2);
    for (const link of links) expect(existsSync(path.join(folder, link))).toBe(true);
  });

  test('TextBind JSON: a tag for each picture and no other, files beside it', async () => {
    const { handlers, conversation, folder, picture } = await conversed();
    const reply = await handlers['exchange.export']({
      conversationIds: [conversation.id],
      format: 'textbind',
    });
    const written = readJsonFile(reply!.path, textbindConversationSchema, 'storage');
    expect(written.conversation).toMatchObject([
      { role: 'user', content: 'What <\u200bimage> is <image>', caption_list: [] },
      { role: 'assistant', content: 'A *cat*.<image>', caption_list: ['a [red] apple'] },
    ]);
    const file = written.conversation[0]!.image_list[0]!;
    expect(readFileSync(path.join(folder, written.image_dir, file))).toEqual(
      Buffer.from(encodePng(picture.width, picture.height)),
    );
  });

  test('a person who changes their mind gets nothing', async () => {
    const { handlers, conversation } = await conversed({ where: null });
    const request = { conversationIds: [conversation.id], format: 'md' as const };
    expect(await handlers['exchange.export'](request)).toBeNull();
  });
});

describe('pictures', () => {
  test('what is not a picture is refused by its name', async () => {
    const { handlers } = makeHandlers();
    const bytes = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>');
    await expect(handlers['pictures.add']({ bytes, name: 'notes.svg' })).rejects.toMatchObject({
      kind: 'bad-input',
      message: expect.stringContaining('notes.svg') as unknown,
    });
  });

  test('saving copies the file, under the name that it came with', async () => {
    const { handlers, picture, did } = await conversed();
    const reply = await handlers['pictures.save']({ pictureId: picture.id });
    expect(readFileSync(reply!.path)).toEqual(Buffer.from(encodePng(8, 6)));
    expect(did.at(-1)).toBe('askWhere cat.png');
  });
});

describe('links', () => {
  test('are opened only when the person agrees', async () => {
    const no = makeHandlers({ open: false });
    await no.handlers['app.openLink']({ url: 'https://example.org/a b' });
    expect(no.did).toEqual(['askToOpen https://example.org/a%20b']);
    const yes = makeHandlers({ open: true });
    await yes.handlers['app.openLink']({ url: 'http://example.org' });
    expect(yes.did.at(-1)).toBe('open http://example.org/');
  });

  test('are asked about as they are: nothing in them turns their letters around', async () => {
    const { handlers, did } = makeHandlers({ open: false });
    const turned = '\u202Elatipac\u202C';
    await handlers['app.openLink']({
      url: `https://user${turned}@evil.com/${turned}?${turned}#${turned}`,
    });
    expect(did.join('')).toMatch(/^askToOpen https:\/\/user[\x21-\x7e]+@evil\.com\/[\x21-\x7e]+$/);
    // A host with such a letter is none.
    await expect(handlers['app.openLink']({ url: `https://${turned}.com/` })).rejects.toMatchObject(
      { kind: 'bad-input' },
    );
  });

  test.each([
    'javascript:alert(1)',
    'file:///etc/passwd',
    'smb://x/y',
    'ms-msdt:/id',
    'data:text/html,x',
    '/etc',
    '',
  ])('other schemes are not even asked about: %s', async (url) => {
    const { handlers, did } = makeHandlers({ open: true });
    await expect(handlers['app.openLink']({ url })).rejects.toMatchObject({ kind: 'bad-input' });
    expect(did).toEqual([]);
  });
});

describe('settings and the engine', () => {
  test('another model or provider is opened; a theme opens nothing', async () => {
    const { handlers, did } = makeHandlers();
    await handlers['settings.set']({ theme: 'dark' });
    await handlers['settings.set']({ modelFolder: null });
    expect(did).toEqual(['settings.changed', 'settings.changed']);
    await handlers['settings.set']({ provider: 'cpu' });
    await handlers['settings.set']({ modelFolder: '/models/x' });
    expect(did.filter((name) => name === 'openChosen')).toHaveLength(2);
    await handlers['engine.restart'](null);
    expect(did.at(-1)).toBe('restart');
  });
});
