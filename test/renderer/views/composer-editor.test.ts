import type { Editor } from '@tiptap/core';
import { NodeSelection } from '@tiptap/pm/state';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { documentOf, itemsOf } from '../../../src/renderer/views/chat/composer-document.ts';
import {
  createComposerEditor,
  insertPictures,
  moveSelectedPicture,
  replaceContent,
} from '../../../src/renderer/views/chat/composer-editor.ts';
import type { DraftItem } from '../../../src/renderer/state/drafts.svelte.ts';

const text = (words: string): DraftItem => ({ kind: 'text', text: words });
const picture = (uploadId: string): DraftItem => ({ kind: 'picture', uploadId });
let editor: Editor;
const spies = { onSend: vi.fn(), onEscape: vi.fn(), announce: vi.fn() };
const removes = new Map<string, () => void>();

function make(...items: DraftItem[]): Editor {
  const element = document.createElement('div');
  document.body.append(element);
  editor = createComposerEditor({
    element,
    content: documentOf(items),
    attributes: { 'aria-label': 'Message' },
    makeChip(uploadId, remove) {
      removes.set(uploadId, remove);
      return {
        element: document.createElement('span'),
        setSelected: () => undefined,
        destroy: () => undefined,
      };
    },
    addFiles: (files) => files.map(({ name }) => name),
    onChange: () => undefined,
    ...spies,
  });
  return editor;
}

afterEach(() => {
  editor.destroy();
  vi.clearAllMocks();
});

/** "Compare |a| with" where |a| is a picture. */
function written(): string {
  return itemsOf(editor.getJSON())
    .map((item) => (item.kind === 'text' ? item.text : `|${item.uploadId}|`))
    .join('');
}

function select(uploadId: string): void {
  editor.state.doc.descendants((node, position) => {
    if (node.attrs['uploadId'] !== uploadId) return;
    editor.view.dispatch(
      editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, position)),
    );
  });
}

function press(key: string, change: KeyboardEventInit = {}): boolean {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...change });
  return editor.view.someProp('handleKeyDown', (handle) => handle(editor.view, event)) === true;
}

describe('pictures in the line', () => {
  it('land at the cursor, several at once, with the cursor behind them', () => {
    make(text('Compare  please'));
    editor.commands.setTextSelection(9);
    insertPictures(editor.view, ['a', 'b']);
    editor.commands.insertContent('!');
    expect(written()).toBe('Compare |a||b|! please');
  });

  it('do not replace the picture that is selected', () => {
    make(text('x '), picture('a'), text(' y'));
    select('a');
    insertPictures(editor.view, ['b']);
    expect(written()).toBe('x |a||b| y');
  });

  it('move past words and pictures by keyboard, to both ends', () => {
    make(text('one two '), picture('a'), picture('b'));
    select('a');
    expect(moveSelectedPicture(editor.view, -1)).toBe('two');
    expect(written()).toBe('one |a|two |b|');
    expect(moveSelectedPicture(editor.view, -1)).toBe('one');
    expect(written()).toBe('|a|one two |b|');
    expect(moveSelectedPicture(editor.view, -1)).toBeNull();
    for (const expected of ['one|a| two |b|', 'one two|a| |b|']) {
      moveSelectedPicture(editor.view, 1);
      expect(written()).toBe(expected);
    }
    moveSelectedPicture(editor.view, 1);
    expect(moveSelectedPicture(editor.view, 1)).toBe('a picture');
    expect(written()).toBe('one two |b||a|');
    expect(moveSelectedPicture(editor.view, 1)).toBeNull();
  });

  it('answer to Alt and the arrows, and say so', () => {
    make(text('one '), picture('a'));
    select('a');
    expect(press('ArrowLeft', { altKey: true })).toBe(true);
    expect(written()).toBe('|a|one ');
    expect(spies.announce).toHaveBeenCalledWith('Picture moved past one.');
  });

  it('are removed by their button', () => {
    make(text('x '), picture('a'), text(' y'));
    removes.get('a')?.();
    expect(written()).toBe('x  y');
  });

  it('come from a paste of files, and text comes without its markup', () => {
    make(text('see '));
    editor.commands.focus('end');
    const paste = (files: File[], kinds: Record<string, string>): boolean => {
      const clipboardData = { files, getData: (kind: string) => kinds[kind] ?? '' };
      const event = { clipboardData } as unknown as ClipboardEvent;
      const slice = editor.state.doc.slice(0);
      return (
        editor.view.someProp('handlePaste', (handle) => handle(editor.view, event, slice)) === true
      );
    };
    paste([new File(['x'], 'p.png'), new File(['y'], 'q.png')], {});
    paste([], { 'text/html': '<b onclick="x()">bold</b>', 'text/plain': 'bold\r\nnext' });
    expect(written()).toBe('see |p.png||q.png|bold\nnext');
  });
});

describe('keys', () => {
  it('Enter sends, Shift Enter does not, and an input method keeps its own Enter', () => {
    make(text('x'));
    press('Enter', { shiftKey: true });
    press('Enter', { isComposing: true });
    expect(spies.onSend).not.toHaveBeenCalled();
    expect(press('Enter')).toBe(true);
    expect(spies.onSend).toHaveBeenCalledOnce();
  });

  it('Escape stops', () => {
    make(text('x'));
    press('Escape');
    expect(spies.onEscape).toHaveBeenCalledOnce();
  });
});

it('another draft brings no undo into the one before', () => {
  make(text('first'));
  editor.commands.insertContent(' more');
  replaceContent(editor, documentOf([text('second')]));
  editor.commands.undo();
  expect(written()).toBe('second');
});
