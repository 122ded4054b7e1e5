import type { Editor } from '@tiptap/core';
import { describe, expect, it, vi } from 'vitest';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { all, find, get, openWindow, press, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** Opens the menu of an element by the pointer; its items' names. */
async function pointAt(element: Element): Promise<string[]> {
  const event = new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: 9 });
  element.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(true);
  return names();
}

async function names(): Promise<string[]> {
  const menu = await until(() => get(testIds.contextMenu));
  return [...menu.querySelectorAll('.menu-item span')].map((item) => item.textContent);
}

function choose(name: string): void {
  const item = [...get(testIds.contextMenu).querySelectorAll<HTMLElement>('.menu-item')].find(
    (each) => each.textContent.trim().startsWith(name),
  );
  item!.click();
}

async function closed(): Promise<void> {
  await until(() => expect(find(testIds.contextMenu)).toBeNull());
}

describe('the context menu', () => {
  it('of a drawing does what its tools do', async () => {
    const { studio, talk } = await openWindow();
    await talk('Draw a boat');
    const items = await pointAt(get(testIds.openPicture));
    expect(items).toEqual([
      'Look at it large',
      'Put into the message',
      'Copy picture',
      'Save picture',
      'Draw again',
      'Edit caption and draw',
      'Drawing bench: draw four',
      'Recipe',
    ]);
    choose('Put into the message');
    await closed();
    await until(() => get(testIds.composerPicture));
    await pointAt(get(testIds.openPicture));
    choose('Draw again');
    await until(() => expect(studio.chat.versions.drawings[0]?.count).toBe(2));
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
    expect(await pointAt(get(testIds.openPicture))).toContain('Delete this version');
  });

  it('of a message and of a reply has what can be done with each', async () => {
    const { studio, talk } = await openWindow();
    await talk('Hello');
    const [message, reply] = all(testIds.turnText);
    expect(await pointAt(reply!)).toEqual([
      'Copy the whole reply',
      'Regenerate',
      'Regenerate with…',
      'Good reply',
      'Poor reply',
      'Ask two models the same',
      'Figures of this reply',
    ]);
    choose('Figures');
    await until(() => get(testIds.inspector));
    await closed();
    expect(await pointAt(message!)).toEqual([
      'Copy the whole message',
      'Edit message',
      'Delete message and reply',
    ]);
    choose('Delete message');
    await until(() => expect(studio.chat.turns).toHaveLength(0));
  });

  it('opens by the keyboard, and gives the focus back', async () => {
    const { talk } = await openWindow();
    await talk('Draw a boat');
    const picture = get(testIds.openPicture);
    picture.focus();
    press('F10', { shiftKey: true });
    expect(await names()).toContain('Save picture');
    await until(() => expect(get(testIds.contextMenu).contains(document.activeElement)).toBe(true));
    press('Escape');
    await closed();
    await until(() => expect(document.activeElement).toBe(picture));
    get(testIds.conversationItem).focus();
    press('ContextMenu');
    expect(await names()).toEqual(expect.arrayContaining(['Rename', 'Export…', 'Delete']));
  });

  it('of the message edits where the focus is', async () => {
    const { main } = await openWindow();
    const input = get(testIds.composerInput) as HTMLElement & { editor: Editor };
    input.editor.commands.insertContent('Hello');
    expect(await pointAt(input)).toEqual([
      'Undo',
      'Redo',
      'Cut',
      'Copy',
      'Paste',
      'Select all',
      'Add pictures',
    ]);
    choose('Paste');
    await until(() => expect(main.edited).toEqual(['paste']));
    expect(document.activeElement).toBe(input);
    const search = get(testIds.search) as HTMLInputElement;
    search.focus();
    expect(await pointAt(search)).toContain('Paste');
    choose('Select all');
    await until(() => expect(main.edited).toEqual(['paste', 'selectAll']));
    expect(document.activeElement).toBe(search);
  });

  it('of a link opens and copies it', async () => {
    const { talk } = await openWindow();
    const reply = await talk('/hostile');
    const items = await pointAt(reply.querySelector('a')!);
    expect(items.slice(0, 2)).toEqual(['Open link', 'Copy link']);
  });
});
