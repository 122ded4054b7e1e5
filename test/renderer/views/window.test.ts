import { cleanup, render } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import App from '../../../src/renderer/App.svelte';
import { createApi } from '../../../src/renderer/api.ts';
import { createStudio, type Studio } from '../../../src/renderer/state/studio.svelte.ts';
import { testIds, type TestId } from '../../../src/renderer/test-ids.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createMainHalf, writeModelFolders, type MainHalf } from '../../support/main-half.ts';
import { createScriptedWorkers, type ScriptedWorkers } from '../../support/scripted-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

// The whole window over main as it is, with its database; only the engine plays scenes, quickly, and main's time stands
// still until a test moves it. A busy machine may take its time over it.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let folder: string;
let clock: FakeClock;
let workers: ScriptedWorkers;
let main: MainHalf;
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
  main.engine.start();
  show();
  await engineIs('ready');
}

/** A window on main as it is now. */
function show(): void {
  studio = createStudio(createApi(main.bridge));
  render(App, { studio });
}

const engineIs = (state: string): Promise<void> =>
  until(() => expect(get(testIds.engineStatus).dataset['state']).toBe(state));

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

/** With one message and its reply. */
async function openAnswered(): Promise<void> {
  await open();
  await say('Hello');
  await settled();
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
  folder = temporaryFolder();
  writeModelFolders(folder);
  clock = new FakeClock();
  workers = createScriptedWorkers(0.02);
  main = createMainHalf({ folder, spawn: workers.spawn, clock, log: silentLogger });
});
afterEach(async () => {
  cleanup();
  await main.close();
});

describe('an empty window', () => {
  it('teaches by doing, and an offered message can be sent', async () => {
    await open();
    expect(all(testIds.starter)).toHaveLength(5);
    expect(get(testIds.aboutModel).textContent).toContain('small demonstration model');
    const drawing = all(testIds.starter)[1]!;
    const wanted = drawing.querySelector('b')!.textContent.replace(/^Draw an? |[.]$/g, '');
    drawing.click();
    await until(() => expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(false));
    get(testIds.send).click();
    const reply = await settled();
    expect(reply.querySelector(`[data-testid="${testIds.picture}"]`)).not.toBeNull();
    expect(get(testIds.caption).textContent).toContain(wanted);
  });

  it('offers no drawing on a model that cannot draw', async () => {
    await open();
    workers.script.model = { ...workers.script.model, canDraw: false };
    await main.engine.restart();
    await until(() => expect(all(testIds.starter)).toHaveLength(3));
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

  it('keeps what was begun to be written over a restart of the window', async () => {
    await open();
    const input = get(testIds.composerInput) as HTMLElement & {
      editor: { commands: { insertContent(words: string): void } };
    };
    input.editor.commands.insertContent('A thought that is not');
    await until(() => expect(main.services.store.drafts.list()).toHaveLength(1));
    cleanup();
    show();
    await until(() =>
      expect(get(testIds.composerInput).textContent).toContain('A thought that is not'),
    );
    await say(' finished');
    await until(() => expect(main.services.store.drafts.list()).toEqual([]));
    expect(localStorage.length).toBe(0);
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
    await engineIs('crashed');
    await until(() => expect(all(testIds.turn).at(-1)!.dataset['status']).toBe('interrupted'));
    expect(get(testIds.engineRestart).textContent).toContain('Start now');
    expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(true);
    clock.advance(500);
    await engineIs('ready');
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

describe('several conversations', () => {
  it('writes one reply after the other, and says where one waits', async () => {
    await open();
    await say('/long');
    await until(() => expect(all(testIds.turnText)[1]?.textContent).toContain('One thing leads'));
    key('n', { ctrlKey: true });
    await until(() => expect(get(testIds.emptyState)).not.toBeNull());
    await say('Hello');
    await until(() => expect(all(testIds.turn)).toHaveLength(2));
    expect(all(testIds.turn)[1]!.textContent).toContain('Waits for the reply in another');
    // What waits can be stopped at once; the other goes on.
    key('Escape');
    await until(() => expect(all(testIds.turn)[1]!.dataset['status']).toBe('stopped'));
    all(testIds.conversationItem)
      .find((item) => item.textContent.includes('/long'))!
      .click();
    await until(() => expect(all(testIds.turnText)[1]?.textContent).toContain('One thing leads'));
    key('Escape');
    expect((await ended()).dataset['status']).toBe('stopped');
  });

  it('follows a reply over a reload of the window', async () => {
    await open();
    await say('/long');
    await until(() => expect(all(testIds.turnText)[1]?.textContent).toContain('One thing leads'));
    cleanup();
    show();
    // What was open last is opened again.
    await until(() => expect(all(testIds.turn)[1]?.dataset['status']).toBe('streaming'));
    const before = get(testIds.conversation).textContent.length;
    await until(() => {
      expect(get(testIds.conversation).textContent.length).toBeGreaterThan(before);
    });
    key('Escape');
    expect((await ended()).dataset['status']).toBe('stopped');
    const { conversationId, turns } = studio.chat;
    expect(main.services.store.turns.list(conversationId!)).toEqual(turns);
  });
});

describe('versions', () => {
  const place = (id: TestId): string =>
    all(id)
      .map(({ dataset }) => `${Number(dataset['index']) + 1}/${dataset['count']}`)
      .join(' ');

  it('of a reply: both are there, the arrow keys go between them, the focus stays', async () => {
    await open();
    await say('Hello');
    const old = (await settled()).dataset['turnId'];
    get(testIds.regenerate).click();
    const anew = (await settled()).dataset['turnId'];
    await until(() => expect(place(testIds.turnVersions)).toBe('2/2'));
    expect(anew).not.toBe(old);
    const button = get(testIds.turnVersions).querySelector('button')!;
    button.focus();
    key('ArrowLeft');
    await until(() => expect(all(testIds.turn).at(-1)!.dataset['turnId']).toBe(old));
    expect(place(testIds.turnVersions)).toBe('1/2');
    expect(document.activeElement).toBe(button);
    key('ArrowRight');
    await until(() => expect(all(testIds.turn).at(-1)!.dataset['turnId']).toBe(anew));
  });

  it('of a drawing: the one before is a page back, and one can be deleted and brought back', async () => {
    await open();
    await say('Draw a boat');
    await settled();
    const old = get(testIds.picture).dataset['pictureId'];
    get(testIds.drawAgain).click();
    await until(() => expect(place(testIds.drawingVersions)).toBe('2/2'));
    await ended();
    const anew = get(testIds.picture).dataset['pictureId'];
    expect(anew).not.toBe(old);
    get(testIds.deleteDrawing).click();
    await until(() => expect(get(testIds.picture).dataset['pictureId']).toBe(old));
    expect(find(testIds.drawingVersions)).toBeNull();
    get(testIds.versionUndo).click();
    await until(() => expect(get(testIds.picture).dataset['pictureId']).toBe(anew));
    expect(place(testIds.drawingVersions)).toBe('2/2');
  });

  it('of a message: edited in its place, with the one before a page back', async () => {
    await openAnswered();
    get(testIds.editMessage).click();
    const input = (await until(() => get(testIds.messageInput))) as HTMLElement & {
      editor: { commands: { insertContent(text: string): void } };
    };
    input.editor.commands.insertContent(' there');
    await until(() =>
      expect((get(testIds.messageSubmit) as HTMLButtonElement).disabled).toBe(false),
    );
    get(testIds.messageSubmit).click();
    await settled();
    expect(find(testIds.messageEditor)).toBeNull();
    expect(all(testIds.turnText)[0]!.textContent).toBe('Hello there');
    await until(() => expect(place(testIds.turnVersions)).toBe('2/2'));
    get(testIds.turnVersions).querySelector('button')!.click();
    await until(() => expect(all(testIds.turnText)[0]!.textContent).toBe('Hello'));
    expect(all(testIds.turn)).toHaveLength(2);
  });

  it('of a message: its editor goes on where it was after another conversation was looked at, until it is cancelled', async () => {
    await open();
    await say('Hello');
    await settled();
    type WithEditor = HTMLElement & {
      editor: { getText(): string; commands: { insertContent(text: string): void } };
    };
    const input = (): Promise<WithEditor> => until(() => get(testIds.messageInput) as WithEditor);
    get(testIds.editMessage).click();
    (await input()).editor.commands.insertContent(' there');
    get(testIds.newConversation).click();
    await until(() => expect(find(testIds.messageEditor)).toBeNull());
    get(testIds.conversationItem).click();
    expect((await input()).editor.getText()).toBe('Hello there');
    get(testIds.messageCancel).click();
    await until(() => expect(find(testIds.messageEditor)).toBeNull());
    get(testIds.editMessage).click();
    expect((await input()).editor.getText()).toBe('Hello');
  });

  it('of none: a message that failed says that it is left out, and can be taken away', async () => {
    await open();
    await say('/fail');
    await settled();
    expect(get(testIds.turnError).textContent).toContain('The next message goes without it');
    await say('Hello');
    await settled();
    expect(get(testIds.turnError).textContent).toContain('Later replies leave this message out');
    get(testIds.failedDelete).click();
    await until(() => expect(all(testIds.turn)).toHaveLength(2));
    get(testIds.versionUndo).click();
    await until(() => expect(all(testIds.turn)).toHaveLength(4));
  });
});

describe('the trash', () => {
  it('has what was deleted, asks before it deletes for good, and gives back', async () => {
    await openAnswered();
    get(testIds.conversationItem).focus();
    key('Delete');
    await until(() => expect(find(testIds.conversationItem)).toBeNull());
    get(testIds.openTrash).click();
    await until(() => expect(get(testIds.trashItem).textContent).toContain('Hello'));
    get(testIds.trashErase).click();
    await until(() => expect(get(testIds.trashErase).textContent).toContain('Delete for good'));
    get(testIds.trashRestore).click();
    await until(() => expect(all(testIds.turn)).toHaveLength(2));
    expect(all(testIds.conversationItem)).toHaveLength(1);
    get(testIds.conversationItem).focus();
    key('Delete');
    get(testIds.openTrash).click();
    await until(() => get(testIds.trashErase));
    get(testIds.trashErase).click();
    await until(() => expect(get(testIds.trashErase).textContent).toContain('Delete for good'));
    get(testIds.trashErase).click();
    await until(() => expect(find(testIds.trashItem)).toBeNull());
    key('Escape');
    await until(() => expect(find(testIds.trashView)).toBeNull());
  });
});

describe('the engine', () => {
  it('says that no model is open, why, and where to choose one', async () => {
    workers.script.openError = 'textbind.json was not found.';
    await open();
    await until(() => expect(get(testIds.engineStatus).textContent).toContain('No model'));
    expect(document.body.textContent).toContain('textbind.json was not found.');
    expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(true);
    expect(get(testIds.engineRestart).textContent).toContain('Try again');
  });

  it('lets one write while it starts, and says why sending waits', async () => {
    let opened = (): void => undefined;
    workers.script.opening = new Promise((resolve) => (opened = resolve));
    main.engine.start();
    show();
    await until(() => expect(get(testIds.composerReason).textContent).toContain('loading'));
    expect(get(testIds.composerInput).getAttribute('contenteditable')).toBe('true');
    opened();
    await until(() => expect(find(testIds.composerReason)).toBeNull());
  });

  it('asks when it has given up, and starts when told', async () => {
    await open();
    for (const restartMs of [500, 3000, 0]) {
      workers.crash();
      await engineIs(restartMs === 0 ? 'halted' : 'crashed');
      clock.advance(restartMs);
      if (restartMs > 0) await engineIs('ready');
    }
    const button = await until(() => get(testIds.engineRestart));
    expect(document.body.textContent).toContain('stopped 3 times');
    button.click();
    await engineIs('ready');
  });

  it('shows in Models what it fell back from', async () => {
    await open();
    get(testIds.railModels).click();
    const fallback = await until(() => get(testIds.providerFallback));
    expect(fallback.textContent).toContain('no CUDA library');
    await until(() => expect(all(testIds.modelItem)).toHaveLength(2));
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

describe('the settings', () => {
  it('say why nothing can be updated, and list what others wrote', async () => {
    await open();
    studio.shell.go('settings');
    await until(() =>
      expect(get(testIds.updatesStatus).textContent).toBe('A test has no update server.'),
    );
    expect(find(testIds.updatesAct)).toBeNull();
    expect(find(testIds.updatesAllow)).toBeNull();
    const licences = get(testIds.licences) as HTMLDetailsElement;
    licences.open = true;
    licences.dispatchEvent(new Event('toggle'));
    await until(() => expect(licences.textContent).toMatch(/left-pad 1\.0\.0\s+MIT/));
    expect(licences.textContent).toContain('Do as you like.');
  });

  it('go where another program leads', async () => {
    await open();
    main.services.emit('app.open', { place: 'settings', conversationId: null });
    await until(() => expect(get(testIds.settingsView)).not.toBeNull());
  });
});

describe('the keyboard', () => {
  it('goes to the places, opens the list of keys, and begins anew', async () => {
    await openAnswered();
    key('5', { ctrlKey: true });
    await until(() => expect(get(testIds.settingsView)).not.toBeNull());
    key('n', { ctrlKey: true });
    await until(() => expect(get(testIds.emptyState)).not.toBeNull());
    expect(find(testIds.settingsView)).toBeNull();
    key('/', { ctrlKey: true });
    await until(() => expect(get(testIds.shortcuts).textContent).toContain('New conversation'));
  });

  it('renames and deletes in the list, with a way back', async () => {
    await openAnswered();
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
