import { randomUUID } from 'node:crypto';
import { cleanup, render } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import App from '../../../src/renderer/App.svelte';
import { createApi } from '../../../src/renderer/api.ts';
import { createStudio, type Studio } from '../../../src/renderer/state/studio.svelte.ts';
import { testIds, type TestId } from '../../../src/renderer/test-ids.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { emptyTurn, type Turn } from '../../../src/shared/domain/turn.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createMainHalf, writeModelFolders, type MainHalf } from '../../support/main-half.ts';
import { createScriptedWorkers } from '../../support/scripted-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

// The window over main as it is; nothing here asks the engine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let main: MainHalf;
let studio: Studio;

const find = (id: TestId, more = ''): HTMLElement | null =>
  document.querySelector(`[data-testid="${id}"]${more}`);
const all = (id: TestId): HTMLElement[] => [
  ...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`),
];
const until = <Value>(check: () => Value): Promise<Value> => vi.waitFor(check, { timeout: 30_000 });

const said = (role: Turn['role'], text: string): Turn => ({
  ...emptyTurn({ id: randomUUID(), role, createdAt: 1 }),
  parts: [{ kind: 'text', text }],
  status: 'complete',
});

function store(title: string, turns: readonly Turn[]): string {
  const id = randomUUID();
  const { conversations, turns: table, transaction } = main.services.store;
  transaction(() => {
    conversations.create(id, title, 1);
    for (const turn of turns) table.append(id, turn);
  });
  return id;
}

async function show(): Promise<void> {
  studio = createStudio(createApi(main.bridge));
  render(App, { studio });
  await until(() => expect(all(testIds.conversationItem).length).toBeGreaterThan(0));
}

async function search(words: string): Promise<void> {
  studio.conversations.search(words);
  await until(() => expect(studio.conversations.items[0]?.snippet ?? '').not.toBe(''));
}

beforeEach(() => {
  localStorage.clear();
  folder = temporaryFolder();
  writeModelFolders(folder);
  const { spawn } = createScriptedWorkers(0.02);
  main = createMainHalf({ folder, spawn, clock: new FakeClock(), log: silentLogger });
});
afterEach(async () => {
  cleanup();
  await main.close();
});

describe('a search hit', () => {
  it('leads to its turn, however far up', async () => {
    const turns = Array.from({ length: 120 }, (_, index) =>
      said(index % 2 === 0 ? 'user' : 'assistant', index === 3 ? 'A heron stood there.' : 'Words'),
    );
    store('Birds', turns);
    await show();
    await search('heron');
    all(testIds.conversationItem)[0]!.click();
    const turn = await until(() => {
      const found = find(testIds.turn, `[data-turn-id="${turns[3]!.id}"]`);
      expect(found?.dataset['revealed']).toBe('true');
      return found!;
    });
    expect(turn.textContent).toContain('A heron stood there.');
    expect(studio.reveal.place?.words).toEqual(['heron']);
    // A new conversation has nothing marked, and the list shows all again.
    find(testIds.newConversation)!.click();
    expect(studio.reveal.place).toBeNull();
    expect(studio.conversations.query).toBe('');
  });

  it('in a version that is not current makes that version current, and says so', async () => {
    const asked = said('user', 'Which bird?');
    const first = said('assistant', 'A heron.');
    const second = said('assistant', 'A stork.');
    const id = store('Birds', [asked, first]);
    main.services.store.turns.append(id, second, { beside: first.id, current: true });
    await show();
    await search('heron');
    all(testIds.conversationItem)[0]!.click();
    await until(() => {
      expect(find(testIds.turn, `[data-turn-id="${first.id}"]`)?.dataset['revealed']).toBe('true');
    });
    expect(find(testIds.turn, `[data-turn-id="${second.id}"]`)).toBeNull();
    expect(studio.shell.notice).toContain('another version');
  });

  it('is left in the middle of being led to', async () => {
    const turns = [said('user', 'Which bird?'), said('assistant', 'A heron.')];
    const conversationId = store('Birds', turns);
    await show();
    const frames: FrameRequestCallback[] = [];
    await studio.chat.open(conversationId);
    await until(() => expect(all(testIds.turn)).toHaveLength(2));
    const ask = vi
      .spyOn(window, 'requestAnimationFrame')
      .mockImplementation((frame) => frames.push(frame));
    const failures: unknown[] = [];
    const note = (error: unknown): unknown => failures.push(error);
    process.on('unhandledRejection', note);
    try {
      await studio.reveal.show({ conversationId, turnId: turns[1]!.id, partIndex: null });
      await until(() => expect(frames.length).toBeGreaterThan(0));
      studio.chat.startNew();
      await until(() => expect(all(testIds.turn)).toHaveLength(0));
      ask.mockRestore();
      for (const frame of frames) frame(performance.now());
      await new Promise((resolve) => setTimeout(resolve));
      expect(failures).toEqual([]);
    } finally {
      ask.mockRestore();
      process.off('unhandledRejection', note);
    }
  });

  it('by its title alone opens the conversation as usual', async () => {
    const id = store('Harbour', [said('user', 'Which bird?')]);
    await show();
    await search('harbour');
    all(testIds.conversationItem)[0]!.click();
    await until(() => expect(studio.chat.conversationId).toBe(id));
    expect(studio.reveal.place).toBeNull();
  });
});

describe('the list', () => {
  it('has no heading over nothing', async () => {
    store('Harbour', [said('user', 'Which bird?')]);
    await show();
    const list = find(testIds.conversationList)!;
    expect(list.querySelectorAll('h2')).toHaveLength(1);
    studio.conversations.search('submarine');
    await until(() => expect(list.textContent).toContain('Nothing found'));
    expect(list.querySelectorAll('h2')).toHaveLength(0);
    await search('harbour');
    expect(list.querySelector('h2')?.textContent).toBe('Found in 1 conversation');
  });
});
