import type { Editor } from '@tiptap/core';
import { describe, expect, it, vi } from 'vitest';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { paint } from '../../support/painted-picture.ts';
import { all, find, get, openWindow, press, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const editor = (): Editor =>
  (get(testIds.composerInput) as HTMLElement & { editor: Editor }).editor;
const written = (): string => editor().getText();
const starter = (index: number): HTMLElement => all(testIds.starter)[index]!;
const offer = (index: number): string => starter(index).querySelector('b')!.textContent;

function choose(...files: File[]): void {
  const input = get(testIds.fileInput);
  Object.defineProperty(input, 'files', { value: files, configurable: true });
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

const picture = (): File =>
  new File([new Uint8Array(paint('a fruit', 3))], 'fruit.png', { type: 'image/png' });

describe('an offered message', () => {
  it('takes the place of the one before, and leaves what a person wrote', async () => {
    await openWindow();
    starter(1).click();
    starter(2).click();
    expect(written()).toBe(offer(2));
    editor().commands.setContent('My own words');
    starter(1).click();
    expect(written()).toBe(`My own words ${offer(1)}`);
    editor().commands.undo();
    expect(written()).toBe('My own words');
  });

  it('that goes with a picture comes with the picture, or not at all', async () => {
    await openWindow();
    starter(0).click();
    expect(written()).toBe('');
    get(testIds.fileInput).dispatchEvent(new Event('cancel', { bubbles: true }));
    choose(picture());
    await until(() => get(testIds.composerPicture));
    expect(written()).toBe('[picture]');
    editor().commands.clearContent();
    starter(0).click();
    choose(picture());
    expect(written()).toBe('[picture] What is in this picture?');
  });
});

describe('the sample picture', () => {
  it('comes with its question, and takes no place of its own words', async () => {
    await openWindow();
    starter(3).click();
    await until(() => get(testIds.composerPicture));
    expect(written()).toBe(`[picture] ${offer(3)}`);
  });
});

describe('a caption that is being edited', () => {
  const area = (): HTMLTextAreaElement => get(testIds.captionInput) as HTMLTextAreaElement;
  async function begin(words: string): Promise<void> {
    get(testIds.editCaption).click();
    await until(() => expect(document.activeElement).toBe(area()));
    area().value = words;
    area().dispatchEvent(new Event('input', { bubbles: true }));
  }

  it.each(['Draw a boat', '/undrawn'])(
    'is still there after another conversation was open: %s',
    async (message) => {
      const { talk, studio } = await openWindow();
      await talk(message);
      const { conversationId } = studio.chat;
      await begin('A red boat at night');
      studio.chat.startNew();
      await talk('Hello');
      expect(find(testIds.captionInput)).toBeNull();
      await studio.chat.open(conversationId!);
      await until(() => expect(area().value).toBe('A red boat at night'));
      // Only one that a person has just opened takes the focus, and selects its words.
      expect(document.activeElement).not.toBe(area());
      get(testIds.captionSubmit).click();
      await until(() => expect(find(testIds.captionInput)).toBeNull());
      await until(() => expect(studio.chat.streamingTurn).toBeNull());
      expect(get(testIds.caption).textContent).toBe('A red boat at night');
    },
  );

  it('is forgotten when it is given up', async () => {
    const { talk } = await openWindow();
    await talk('Draw a boat');
    await begin('Something else');
    press('Escape');
    await until(() => expect(find(testIds.captionInput)).toBeNull());
    get(testIds.editCaption).click();
    await until(() => expect(area().value).toBe(get(testIds.picture).querySelector('img')?.alt));
  });
});

describe('the focus', () => {
  it('is in the message at the start, and after a caption was edited', async () => {
    const { talk, studio } = await openWindow();
    expect(document.activeElement).toBe(get(testIds.composerInput));
    await talk('Draw a boat');
    get(testIds.editCaption).click();
    const area = await until(() => get(testIds.captionInput));
    area.focus();
    press('Escape');
    await until(() => expect(document.activeElement).toBe(get(testIds.editCaption)));
    get(testIds.editCaption).click();
    await until(() => get(testIds.captionInput));
    get(testIds.captionSubmit).click();
    await until(() => expect(document.activeElement).toBe(get(testIds.composerInput)));
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
  });

  it('of the message leaves Escape to what is open beside it', async () => {
    const { studio } = await openWindow();
    studio.shell.inspect({ kind: 'sampling' });
    await until(() => get(testIds.inspector));
    expect(document.activeElement).toBe(get(testIds.composerInput));
    press('Escape');
    await until(() => expect(find(testIds.inspector)).toBeNull());
  });
});

async function enterDuringReply(words: string) {
  const { studio, workers } = await openWindow();
  workers.script.pace = 1;
  await studio.chat.send([{ kind: 'text', text: '/long' }]);
  await until(() => expect(studio.chat.streamingTurn?.parts).toHaveLength(1));
  editor().commands.insertContent(words);
  editor().commands.focus();
  press('Enter');
  return { studio, workers };
}

describe('Enter during a reply', () => {
  it('keeps the message and sends it when the reply has ended', async () => {
    const { studio, workers } = await enterDuringReply('And then?');
    await until(() => expect(get(testIds.composerWaiting).textContent).toContain('has ended'));
    workers.script.pace = 0;
    await studio.chat.stop();
    await until(() => expect(studio.chat.turns).toHaveLength(4));
    expect(studio.chat.turns[2]?.parts).toEqual([{ kind: 'text', text: 'And then?' }]);
    expect(find(testIds.composerWaiting)).toBeNull();
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
  });

  it('can be taken back, by Escape and by writing on', async () => {
    const { studio } = await enterDuringReply('Wait');
    await until(() => get(testIds.composerWaiting));
    press('Escape');
    await until(() => expect(find(testIds.composerWaiting)).toBeNull());
    // That was for the message; the reply goes on.
    expect(studio.chat.streamingTurn).not.toBeNull();
    press('Enter');
    await until(() => get(testIds.composerWaiting));
    editor().commands.insertContent(' for it');
    await until(() => expect(find(testIds.composerWaiting)).toBeNull());
    press('Escape');
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
    expect(written()).toBe('Wait for it');
    expect(studio.chat.turns).toHaveLength(2);
  });
});

describe('pictures in a selection', () => {
  it('show that they are selected', async () => {
    await openWindow();
    editor().commands.insertContent('Look: ');
    choose(picture());
    const chip = await until(() => get(testIds.composerPicture));
    editor().commands.selectAll();
    expect(chip.closest('.in-selection')).not.toBeNull();
    editor().commands.focus('end');
    expect(chip.closest('.in-selection')).toBeNull();
  });

  it('have a caret of our own beside them', async () => {
    await openWindow();
    const line = get(testIds.composerInput).parentElement!;
    expect(line.classList.contains('own-caret')).toBe(false);
    choose(picture());
    await until(() => expect(line.classList.contains('own-caret')).toBe(true));
    editor().commands.insertContent('x');
    expect(line.querySelector('.caret')).toBeNull();
  });
});
