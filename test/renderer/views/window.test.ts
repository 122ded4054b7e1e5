import { cleanup, render } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import App from '../../../src/renderer/App.svelte';
import { createApi } from '../../../src/renderer/api.ts';
import { createFakeBridge, type FakeBridge } from '../../../src/renderer/fake/fake-bridge.ts';
import { createStudio, type Studio } from '../../../src/renderer/state/studio.svelte.ts';
import { testIds, type TestId } from '../../../src/renderer/test-ids.ts';

// The whole window over a fake that behaves; only the pace is quick. A busy machine may take its time over it.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let bridge: FakeBridge;
let studio: Studio;

function find(id: TestId): HTMLElement | null {
  return document.querySelector(`[data-testid="${id}"]`);
}

function all(id: TestId): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
}

function get(id: TestId): HTMLElement {
  const element = find(id);
  if (element === null) throw new Error(`There is no ${id}.`);
  return element;
}

const until = <Value>(check: () => Value): Promise<Value> => vi.waitFor(check, { timeout: 30_000 });

async function open(): Promise<void> {
  studio = createStudio(createApi(bridge, { pictureUrl: (hash) => bridge.pictureUrl(hash) }));
  render(App, { studio });
  await until(() => expect(get(testIds.engineStatus).dataset['state']).toBe('ready'));
}

/** Puts words in the composer as an offered message does, and sends them. */
async function say(words: string): Promise<void> {
  const { drafts, chat } = studio;
  const key = chat.conversationId ?? 'new';
  const input = get(testIds.composerInput) as HTMLElement & {
    editor: { commands: { insertContent(text: string): void } };
  };
  input.editor.commands.insertContent(words);
  await until(() => expect(drafts.get(key)).not.toEqual([]));
  await until(() => expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(false));
  get(testIds.send).click();
}

/** The last turn and its state when a test last looked: what comes after it is something else. */
let lookedAt = '';

const state = (turn: HTMLElement): string => `${turn.dataset['turnId']} ${turn.dataset['status']}`;

async function ended(): Promise<HTMLElement> {
  await until(() => expect(find(testIds.stop)).toBeNull());
  const last = all(testIds.turn).at(-1)!;
  lookedAt = state(last);
  return last;
}

/** The reply, once there is a new one and it has ended, however short it streamed. */
async function settled(): Promise<HTMLElement> {
  await until(() => {
    const last = all(testIds.turn).at(-1);
    expect(last?.dataset['role']).toBe('assistant');
    expect(last?.dataset['status']).not.toBe('streaming');
    expect(state(last!)).not.toBe(lookedAt);
  });
  return ended();
}

function key(name: string, change: KeyboardEventInit = {}): void {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(
    new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...change }),
  );
}

beforeEach(() => {
  lookedAt = '';
  localStorage.clear();
  bridge = createFakeBridge({ pace: 0.02 });
});
afterEach(() => cleanup());

describe('an empty window', () => {
  it('teaches by doing, and an offered message can be sent', async () => {
    await open();
    expect(all(testIds.starter)).toHaveLength(3);
    all(testIds.starter)[1]!.click();
    await until(() => expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(false));
    get(testIds.send).click();
    const reply = await settled();
    expect(reply.querySelector(`[data-testid="${testIds.picture}"]`)).not.toBeNull();
    expect(get(testIds.caption).textContent).toContain('red apple');
  });

  it('offers no drawing on a model that cannot draw', async () => {
    await open();
    const { model } = studio.engine.status;
    bridge.setEngine({ model: { ...model!, canDraw: false } });
    await until(() => expect(all(testIds.starter)).toHaveLength(1));
  });
});

describe('a conversation', () => {
  it('streams a reply into its turn and shows its figures', async () => {
    await open();
    await say('Hello');
    const reply = await settled();
    expect(reply.dataset).toMatchObject({ role: 'assistant', status: 'complete' });
    expect(reply.querySelector('strong')?.textContent).toBe('draw');
    expect(get(testIds.turnUsage).textContent).toContain('42 tokens');
    expect(all(testIds.turn)[0]!.dataset).toMatchObject({ role: 'user', status: 'complete' });
    // The draft is gone, the conversation is in the list and open.
    expect(studio.drafts.get(studio.chat.conversationId!)).toEqual([]);
    expect(get(testIds.conversationItem).getAttribute('aria-current')).toBe('page');
  });

  it('stops by Escape, keeps what was said, and goes on', async () => {
    await open();
    await say('/long');
    await until(() => expect(all(testIds.turnText)[1]?.textContent).toContain('One thing leads'));
    key('Escape');
    const reply = await ended();
    expect(reply.dataset['status']).toBe('stopped');
    const before = reply.textContent;
    expect(before).toContain('One thing leads');
    get(testIds.continueReply).click();
    const after = await settled();
    expect(after.textContent).toContain('this is how it went on');
    expect(after.dataset['status']).toBe('complete');
  });

  it('says why a reply failed and tries again', async () => {
    await open();
    await say('/fail');
    const reply = await settled();
    expect(reply.dataset['status']).toBe('failed');
    expect(get(testIds.turnError).textContent).toContain('2300 of 2048 tokens');
    get(testIds.regenerate).click();
    const again = await settled();
    expect(again.dataset['turnId']).not.toBe(reply.dataset['turnId']);
  });

  it('keeps an undrawn caption with its reason, and draws it when asked', async () => {
    await open();
    await say('/undrawn');
    await settled();
    expect(get(testIds.undrawn).textContent).toContain('1.2 GB were needed');
    get(testIds.drawAgain).click();
    // A drawing stands in its place while it lasts, and the turn's state is what it was.
    await until(() => expect(find(testIds.undrawn)).toBeNull());
    await ended();
    expect(get(testIds.picture).dataset['partIndex']).toBe('1');
  });

  it('draws an edited caption at its place', async () => {
    await open();
    await say('Draw a boat');
    await settled();
    get(testIds.editCaption).click();
    const area = await until(() => get(testIds.captionInput) as HTMLTextAreaElement);
    area.value = 'a green boat';
    area.dispatchEvent(new Event('input', { bubbles: true }));
    await until(() =>
      expect((get(testIds.captionSubmit) as HTMLButtonElement).disabled).toBe(false),
    );
    get(testIds.captionSubmit).click();
    await until(() => expect(get(testIds.drawing).textContent).toContain('a green boat'));
    await ended();
    expect(get(testIds.caption).textContent).toBe('a green boat');
  });

  it('marks what a crash cut off and says when the engine comes back', async () => {
    await open();
    await say('/crash');
    await until(() => expect(get(testIds.engineStatus).dataset['state']).toBe('crashed'));
    expect(all(testIds.turn).at(-1)!.dataset['status']).toBe('interrupted');
    expect(get(testIds.engineRestart).textContent).toContain('Start now');
    expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(true);
    await until(() => expect(get(testIds.engineStatus).dataset['state']).toBe('ready'));
    expect((get(testIds.continueReply) as HTMLButtonElement).disabled).toBe(false);
  });

  it('runs nothing of a hostile reply', async () => {
    await open();
    await say('/hostile');
    const reply = await settled();
    expect(reply.querySelector('script, img[src="x"], svg[onload], style, iframe')).toBeNull();
    expect(reply.textContent).toContain('<script>');
    const links = [...reply.querySelectorAll('a')].map((link) => link.getAttribute('href'));
    expect(links).toEqual(['https://example.org/track.png', 'https://example.org/page']);
  });
});

describe('the engine', () => {
  it('says that no model is open, why, and where to choose one', async () => {
    await open();
    bridge.setEngine({ model: null, reason: 'textbind.json was not found.' });
    await until(() => expect(get(testIds.engineStatus).textContent).toContain('No model'));
    expect(document.body.textContent).toContain('textbind.json was not found.');
    expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(true);
    expect(get(testIds.engineRestart).textContent).toContain('Try again');
  });

  it('lets one write while it starts, and says why sending waits', async () => {
    await open();
    bridge.setEngine({ state: 'loading' });
    await until(() => expect(get(testIds.composerReason).textContent).toContain('loading'));
    expect(get(testIds.composerInput).getAttribute('contenteditable')).toBe('true');
    bridge.setEngine({ state: 'ready' });
    await until(() => expect(find(testIds.composerReason)).toBeNull());
  });

  it('asks when it has given up, and starts when told', async () => {
    await open();
    bridge.setEngine({ state: 'halted', reason: 'It ran out of memory.', crashes: 3 });
    const button = await until(() => get(testIds.engineRestart));
    expect(document.body.textContent).toContain('stopped 3 times');
    button.click();
    await until(() => expect(get(testIds.engineStatus).dataset['state']).toBe('ready'));
  });

  it('shows in Models what it fell back from', async () => {
    await open();
    get(testIds.railModels).click();
    const fallback = await until(() => get(testIds.providerFallback));
    expect(fallback.textContent).toContain('no CUDA library');
    const [chosen, broken] = all(testIds.modelItem);
    expect(chosen?.dataset['chosen']).toBe('true');
    expect(broken?.textContent).toContain('Cannot be used');
    expect((get(testIds.modelChoose) as HTMLButtonElement).disabled).toBe(true);
  });
});

describe('pictures in the composer', () => {
  it('show a refusal at their place, which must be removed before sending', async () => {
    await open();
    const input = get(testIds.fileInput) as HTMLInputElement;
    const notes = new File(['hello'], 'notes.txt', { type: 'text/plain' });
    Object.defineProperty(input, 'files', { value: [notes], configurable: true });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    const fault = await until(() => get(testIds.composerPictureError));
    expect(fault.textContent).toContain('“notes.txt” is not a picture');
    expect(get(testIds.composerReason).textContent).toContain('Remove it');
    get(testIds.composerPictureRemove).click();
    await until(() => expect(find(testIds.composerPicture)).toBeNull());
    expect(find(testIds.composerReason)).toBeNull();
  });
});

describe('the keyboard', () => {
  it('goes to the places, opens the list of keys, and begins anew', async () => {
    await open();
    await say('Hello');
    await settled();
    key('3', { ctrlKey: true });
    await until(() => expect(get(testIds.settingsView)).not.toBeNull());
    key('n', { ctrlKey: true });
    await until(() => expect(get(testIds.emptyState)).not.toBeNull());
    expect(find(testIds.settingsView)).toBeNull();
    key('/', { ctrlKey: true });
    await until(() => expect(get(testIds.shortcuts).textContent).toContain('New conversation'));
  });

  it('renames and deletes in the list, with a way back', async () => {
    await open();
    await say('Hello');
    await settled();
    get(testIds.conversationItem).focus();
    key('F2');
    const input = (await until(() => get(testIds.conversationRenameInput))) as HTMLInputElement;
    input.value = 'A better title';
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await until(() => expect(get(testIds.conversationTitle).textContent).toBe('A better title'));
    get(testIds.conversationItem).focus();
    key('Delete');
    await until(() => expect(get(testIds.undoBar).textContent).toContain('A better title'));
    expect(find(testIds.conversationItem)).toBeNull();
    get(testIds.undo).click();
    await until(() => expect(all(testIds.conversationItem)).toHaveLength(1));
  });
});
