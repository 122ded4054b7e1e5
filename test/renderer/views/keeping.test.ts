// The list as a person keeps it, what the meter says, and finding in a conversation, over main as it is.
import { randomUUID } from 'node:crypto';
import type { Editor } from '@tiptap/core';
import { describe, expect, it, vi } from 'vitest';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { emptyTurn, type Turn } from '../../../src/shared/domain/turn.ts';
import type { MainHalf } from '../../support/main-half.ts';
import { all, find, get, openWindow, press, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const said = (role: Turn['role'], text: string): Turn => ({
  ...emptyTurn({ id: randomUUID(), role, createdAt: 1 }),
  parts: [{ kind: 'text', text }],
  status: 'complete',
  model: role === 'user' ? null : 'Mini',
});

function store(main: MainHalf, title: string, turns: readonly Turn[], at = 1): string {
  const id = randomUUID();
  const { conversations, turns: table, transaction } = main.services.store;
  transaction(() => {
    conversations.create(id, title, at);
    for (const turn of turns) table.append(id, turn);
  });
  return id;
}

const titles = (): (string | undefined)[] =>
  all(testIds.conversationItem).map((item) => item.querySelector('.name')?.textContent);

describe('the list', () => {
  it('is one stop for Tab; pins, archives, tags and filters', async () => {
    const ids: string[] = [];
    const { studio, main } = await openWindow(async (made) => {
      for (let number = 1; number <= 4; number += 1) {
        ids.push(store(made, `Talk ${number}`, [said('user', 'x')], number));
      }
    });
    const { conversations } = studio;
    await until(() => expect(titles()).toEqual(['Talk 4', 'Talk 3', 'Talk 2', 'Talk 1']));
    const stops = (): number =>
      get(testIds.conversationList).querySelectorAll('li [tabindex="0"]').length;
    expect(stops()).toBe(1);
    all(testIds.conversationItem)[0]!.focus();
    press('ArrowDown');
    expect(document.activeElement).toBe(all(testIds.conversationItem)[1]);
    expect(stops()).toBe(1);
    await conversations.mark(ids[0]!, { pinned: true });
    await until(() => expect(titles()[0]).toBe('Talk 1'));
    expect(get(testIds.conversationList).querySelector('h2')?.textContent).toBe('Pinned');
    await conversations.mark(ids[1]!, { tags: ['work'] });
    await conversations.mark(ids[2]!, { archived: true });
    await until(() => expect(titles()).toEqual(['Talk 1', 'Talk 4', 'Talk 2']));
    conversations.setFilter({ tag: 'work' });
    await until(() => expect(titles()).toEqual(['Talk 2']));
    expect(get(testIds.filters).textContent).toContain('Show all');
    conversations.setFilter({ tag: undefined, archived: true });
    await until(() => expect(titles()).toEqual(['Talk 3']));
    get(testIds.filterClear).click();
    await until(() => expect(titles()).toHaveLength(3));
    expect(main.services.store.conversations.summary(ids[1]!)?.tags).toEqual(['work']);
  });
});

describe('the conversation that was open last', () => {
  it('is open again at the next start, and each that is opened is kept for it', async () => {
    let last = '';
    const { studio, main } = await openWindow(async (made) => {
      store(made, 'Newer', [said('user', 'of today')], 2);
      last = store(made, 'Older', [said('user', 'of yesterday')], 1);
      made.services.store.settings.set({ lastConversation: last });
    });
    await until(() => expect(get(testIds.conversation).textContent).toContain('of yesterday'));
    expect(studio.chat.conversationId).toBe(last);
    await studio.chat.open(store(main, 'A third', [said('user', 'of now')], 3));
    await until(() =>
      expect(main.services.store.settings.get().lastConversation).toBe(studio.chat.conversationId),
    );
  });

  it('leaves an empty window where it was deleted', async () => {
    const { studio } = await openWindow(async (made) => {
      made.services.store.settings.set({ lastConversation: randomUUID() });
    });
    await until(() => expect(find(testIds.emptyState)).not.toBeNull());
    expect(studio.chat.openError).toBeNull();
  });
});

/** A window on a conversation of so many turns, whose model has room for 60 tokens. */
async function openWithLittleRoom(count: number) {
  const opened = await openWindow();
  const { studio, workers, main } = opened;
  workers.script.model = { ...workers.script.model, maxSequenceLength: 80 };
  await main.services.engine.restart();
  const turns = Array.from({ length: count }, (_, index) =>
    said(index % 2 === 0 ? 'user' : 'assistant', 'one two three four five six seven'),
  );
  const id = store(main, 'Little room', turns);
  await until(() => expect(studio.engine.status.state).toBe('ready'));
  await studio.chat.open(id);
  return { studio, id, turns };
}

describe('the meter', () => {
  it('says what a message takes, where the model reads from, and stops one that is too long', async () => {
    const { studio, id, turns } = await openWithLittleRoom(8);
    // 60 tokens of room: 4 for an empty message, 11 for each turn.
    const meter = (): DOMStringMap => get(testIds.meter).dataset;
    await until(() => expect(meter()).toMatchObject({ tokens: '59', room: '60' }));
    const mark = get(testIds.readsFrom);
    expect(mark.nextElementSibling?.getAttribute('data-turn-id')).toBe(turns[3]!.id);
    studio.drafts.set(id, [{ kind: 'text', text: 'word '.repeat(70) }]);
    studio.chat.startNew();
    await studio.chat.open(id);
    await until(() => expect(meter()['tooMuch']).toBe('true'));
    expect(get(testIds.tooMuch).textContent).toContain('74 tokens');
    expect(get(testIds.send)).toHaveProperty('disabled', true);
    get(testIds.trimMessage).click();
    await until(() => expect(find(testIds.tooMuch)).toBeNull());
    expect(get(testIds.composerInput).textContent.length).toBeLessThan(300);
    await until(() => expect(get(testIds.send)).toHaveProperty('disabled', false));
  });
});

describe('the meter of a message that is edited', () => {
  it('counts it with what stands before it alone, and stops one that is too long', async () => {
    const { studio, turns } = await openWithLittleRoom(4);
    studio.versions.editing = turns[2]!.id;
    const editor = await until(() => get(testIds.messageEditor));
    const meter = (): DOMStringMap => get(testIds.meter, editor).dataset;
    // Two turns of 11 tokens before it, and itself; not the reply behind it.
    await until(() => expect(meter()).toMatchObject({ tokens: '33', room: '60' }));
    const input = get(testIds.messageInput) as HTMLElement & { editor: Editor };
    input.editor.commands.insertContent(' word'.repeat(70));
    await until(() => expect(meter()['tooMuch']).toBe('true'));
    expect(get(testIds.messageSubmit)).toHaveProperty('disabled', true);
    get(testIds.trimMessage, editor).click();
    await until(() => expect(find(testIds.tooMuch, editor)).toBeNull());
    await until(() => expect(get(testIds.messageSubmit)).toHaveProperty('disabled', false));
    get(testIds.messageSubmit).click();
    await until(() => expect(studio.chat.turns).toHaveLength(4));
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
  });
});

describe('settings of one conversation', () => {
  it('go with it, are reset, and come from a preset', async () => {
    const { studio, main, talk } = await openWindow();
    await talk('Hello');
    const id = studio.chat.conversationId!;
    studio.shell.inspect({ kind: 'sampling' });
    await until(() => get(testIds.ownSettings));
    const system = get(testIds.ownSystem) as HTMLTextAreaElement;
    system.value = 'Be brief.';
    system.dispatchEvent(new Event('input', { bubbles: true }));
    system.dispatchEvent(new Event('change', { bubbles: true }));
    const kept = () => main.services.store.conversations.settings(id);
    await until(() => expect(kept()).toEqual({ system: 'Be brief.' }));
    await studio.own.savePreset('Brief');
    studio.chat.startNew();
    await until(() => expect(studio.own.value).toEqual({}));
    await studio.own.takePreset(studio.settings.value.presets[0]!);
    expect(studio.own.effective.system).toBe('Be brief.');
    await talk('Hello again');
    const second = studio.chat.conversationId!;
    expect(second).not.toBe(id);
    expect(main.services.store.conversations.settings(second).system).toBe('Be brief.');
    await studio.chat.open(id);
    await until(() => expect(studio.own.value).toEqual({ system: 'Be brief.' }));
    get(testIds.ownReset).click();
    await until(() => expect(kept()).toEqual({}));
  });
});

describe('a system prompt that is being typed', () => {
  it('is stored where it was typed when another conversation is opened, and after a pause', async () => {
    const { studio, main, talk } = await openWindow();
    await talk('Hello');
    const id = studio.chat.conversationId!;
    const kept = () => main.services.store.conversations.settings(id);
    studio.shell.inspect({ kind: 'sampling' });
    await until(() => get(testIds.ownSettings));
    const type = (words: string): void => {
      const system = get(testIds.ownSystem) as HTMLTextAreaElement;
      system.value = words;
      system.dispatchEvent(new Event('input', { bubbles: true }));
    };
    type('Be brief.');
    studio.chat.startNew();
    await until(() => expect(kept()).toEqual({ system: 'Be brief.' }));
    // The field is left only now.
    get(testIds.ownSystem).dispatchEvent(new Event('change', { bubbles: true }));
    await until(() => expect(studio.own.value).toEqual({}));
    expect((get(testIds.ownSystem) as HTMLTextAreaElement).value).toBe('');
    await studio.chat.open(id);
    await until(() => expect(studio.own.value).toEqual({ system: 'Be brief.' }));
    type('Be brief and kind.');
    await until(() => expect(kept()).toEqual({ system: 'Be brief and kind.' }));
  });
});

describe('finding in a conversation', () => {
  it('goes through the places that have the words, made on the page or not', async () => {
    const turns = Array.from({ length: 200 }, (_, index) =>
      said(index % 2 === 0 ? 'user' : 'assistant', index % 50 === 3 ? `A héron ${index}` : 'Words'),
    );
    const { studio, main } = await openWindow();
    await studio.chat.open(store(main, 'Birds', turns));
    await until(() => expect(all(testIds.turn).length).toBeGreaterThan(0));
    press('f', { ctrlKey: true });
    const input = (await until(() => get(testIds.findInput))) as HTMLInputElement;
    expect(document.activeElement).toBe(input);
    const shown = (index: number) =>
      until(() =>
        expect(
          document.querySelector<HTMLElement>(`[data-turn-id="${turns[index]!.id}"]`)?.dataset[
            'revealed'
          ],
        ).toBe('true'),
      );
    input.value = 'heron';
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await shown(153);
    expect(get(testIds.findCount).textContent).toBe('4 of 4');
    expect(document.activeElement).toBe(input);
    press('Enter');
    expect(studio.find.number).toBe(1);
    await shown(3);
    expect(get(testIds.findCount).textContent).toBe('1 of 4');
    // Only what is around it is made: 200 turns would be slow, 2,000 more so.
    expect(all(testIds.turn).length).toBeLessThan(120);
    press('Escape');
    await until(() => expect(find(testIds.findBar)).toBeNull());
    expect(studio.reveal.place).toBeNull();
  });
});
