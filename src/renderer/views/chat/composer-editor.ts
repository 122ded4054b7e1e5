import { Editor, Node, type JSONContent } from '@tiptap/core';
import { closeHistory } from '@tiptap/pm/history';
import { EditorState, NodeSelection, TextSelection } from '@tiptap/pm/state';
import type { EditorView } from '@tiptap/pm/view';
import StarterKit from '@tiptap/starter-kit';
import type { DraftItem } from '../../state/drafts.svelte.ts';
import { documentOf, pictureNode } from './composer-document.ts';
import { pictureMarks } from './picture-marks.ts';
import { t } from '../../texts.svelte.ts';

/** What stands in the text for one picture: built by the view that owns the editor, torn down with `destroy`. */
export interface PictureChip {
  readonly element: HTMLElement;
  setSelected(selected: boolean): void;
  destroy(): void;
}

export interface ComposerEditorOptions {
  readonly element: HTMLElement;
  readonly content: JSONContent;
  readonly attributes: Record<string, string>;
  /** Makes the chip for an upload; `remove` takes the picture out of the text. */
  makeChip(uploadId: string, remove: () => void): PictureChip;
  /** Stores files that were pasted or dropped; the upload ids come back in the same order, at once. */
  addFiles(files: readonly File[]): readonly string[];
  onChange(document: JSONContent): void;
  onSend(): void;
  /** False where there was nothing to do: the key is the window's then. */
  onEscape(): boolean;
  /** Says something to a screen reader. */
  announce(words: string): void;
}

/** The editor of the composer: one paragraph of plain text with line breaks and inline pictures, nothing else. */
export function createComposerEditor(options: ComposerEditorOptions): Editor {
  return new Editor({
    element: options.element,
    content: options.content,
    // A strict content security policy: our style sheet has these few rules.
    injectCSS: false,
    extensions: [
      StarterKit.configure({
        blockquote: false,
        bold: false,
        bulletList: false,
        code: false,
        codeBlock: false,
        dropcursor: { color: 'var(--accent)', width: 2 },
        gapcursor: false,
        heading: false,
        horizontalRule: false,
        italic: false,
        link: false,
        listItem: false,
        listKeymap: false,
        orderedList: false,
        strike: false,
        trailingNode: false,
        underline: false,
      }),
      pictureExtension(options),
      pictureMarks,
    ],
    editorProps: {
      attributes: {
        role: 'textbox',
        'aria-multiline': 'true',
        dir: 'auto',
        ...options.attributes,
      },
      handleKeyDown: (view, event) => handleKey(view, event, options),
      handlePaste: (view, event) => handlePaste(view, event, options),
      handleDrop: (view, event) => handleDrop(view, event, options),
    },
    onUpdate: ({ editor }) => options.onChange(editor.getJSON()),
  });
}

/** Names the editor in the language that is shown now. */
export function nameEditor(editor: Editor, name: string): void {
  const { editorProps } = editor.options;
  const attributes = { ...editorProps.attributes, 'aria-label': name };
  editor.setOptions({ editorProps: { ...editorProps, attributes } });
}

/** Puts another draft in the editor; what was undone there before cannot be undone here. */
export function replaceContent(editor: Editor, content: JSONContent): void {
  const { state, view } = editor;
  const doc = state.schema.nodeFromJSON(content);
  view.updateState(
    EditorState.create({ doc, plugins: state.plugins, selection: TextSelection.atEnd(doc) }),
  );
}

/** Puts something else in the editor as a person would: it can be undone. The cursor is at its end. */
export function replaceItems({ view }: Editor, items: readonly DraftItem[]): void {
  const doc = view.state.schema.nodeFromJSON(documentOf(items));
  const transaction = view.state.tr.replaceWith(0, view.state.doc.content.size, doc.content);
  transaction.setSelection(TextSelection.atEnd(transaction.doc));
  // A step of its own, however soon after another.
  view.dispatch(closeHistory(transaction.scrollIntoView()));
}

/** Puts pictures at the cursor, or at `position`, in order, with the cursor after them. */
export function insertPictures(
  view: EditorView,
  uploadIds: readonly string[],
  position?: number,
): void {
  const type = view.state.schema.nodes[pictureNode];
  if (type === undefined || uploadIds.length === 0) return;
  const { selection } = view.state;
  // A picture that is selected is not replaced by the next one: that goes after it.
  const from = position ?? (selection instanceof NodeSelection ? selection.to : selection.from);
  const to = position ?? (selection instanceof NodeSelection ? selection.to : selection.to);
  const nodes = uploadIds.map((uploadId) => type.create({ uploadId }));
  const transaction = view.state.tr.replaceWith(from, to, nodes);
  const end = transaction.mapping.map(to);
  transaction.setSelection(TextSelection.near(transaction.doc.resolve(end)));
  view.dispatch(transaction.scrollIntoView());
}

/**
 * Moves the selected picture over the next word or picture on that side. Returns what it passed, or null when no picture
 * is selected or it stands at the end already.
 */
export function moveSelectedPicture(view: EditorView, direction: -1 | 1): string | null {
  const { selection } = view.state;
  if (!(selection instanceof NodeSelection) || selection.node.type.name !== pictureNode)
    return null;
  const place = direction < 0 ? selection.$from : selection.$to;
  const neighbour = direction < 0 ? place.nodeBefore : place.nodeAfter;
  if (neighbour === null) return null;
  const words = neighbour.isText ? (neighbour.text ?? '') : '';
  const passed = neighbour.isText
    ? ((direction < 0 ? /\S*\s*$/ : /^\s*\S*/).exec(words)?.[0] ?? '')
    : '';
  const distance = neighbour.isText ? Math.max(1, passed.length) : neighbour.nodeSize;
  const target = selection.from + direction * distance;
  const transaction = view.state.tr.delete(selection.from, selection.to);
  transaction.insert(target, selection.node);
  transaction.setSelection(NodeSelection.create(transaction.doc, target));
  view.dispatch(transaction.scrollIntoView());
  return neighbour.isText ? passed.trim() : t.composer.aPicture;
}

function pictureExtension(options: ComposerEditorOptions): Node {
  return Node.create({
    name: pictureNode,
    group: 'inline',
    inline: true,
    atom: true,
    draggable: true,
    selectable: true,
    addAttributes() {
      return {
        uploadId: {
          default: '',
          parseHTML: (element) => element.getAttribute('data-upload-id') ?? '',
          renderHTML: (attributes) => ({ 'data-upload-id': String(attributes['uploadId']) }),
        },
      };
    },
    parseHTML() {
      return [{ tag: 'span[data-upload-id]' }];
    },
    renderHTML({ HTMLAttributes }) {
      return ['span', HTMLAttributes];
    },
    renderText: () => '[picture]',
    addNodeView() {
      return ({ node, editor, getPos }) => {
        const remove = (): void => {
          const position = getPos();
          if (position === undefined) return;
          editor.view.dispatch(editor.state.tr.delete(position, position + node.nodeSize));
          editor.view.focus();
        };
        const chip = options.makeChip(String(node.attrs['uploadId']), remove);
        return {
          dom: chip.element,
          selectNode: () => chip.setSelected(true),
          deselectNode: () => chip.setSelected(false),
          destroy: () => chip.destroy(),
          ignoreMutation: () => true,
          stopEvent: (event) =>
            event.target instanceof Element && event.target.closest('button') !== null,
        };
      };
    },
  });
}

function handleKey(
  view: EditorView,
  event: KeyboardEvent,
  options: ComposerEditorOptions,
): boolean {
  // While an input method composes, Enter and Escape are its own.
  if (event.isComposing) return false;
  if (event.key === 'Enter' && !event.shiftKey) {
    options.onSend();
    return true;
  }
  if (event.key === 'Escape') return options.onEscape();
  const sideways = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : null;
  if (event.altKey && sideways !== null && view.state.selection instanceof NodeSelection) {
    const passed = moveSelectedPicture(view, sideways);
    options.announce(
      passed === null ? t.composer.pictureIsAtEnd : t.composer.pictureMovedPast(passed),
    );
    return true;
  }
  return false;
}

function handlePaste(
  view: EditorView,
  event: ClipboardEvent,
  options: ComposerEditorOptions,
): boolean {
  const data = event.clipboardData;
  if (data === null) return false;
  const files = [...data.files];
  if (files.length > 0) {
    insertPictures(view, options.addFiles(files));
    return true;
  }
  // A stretch of this composer with its pictures may come back as it was; all else is plain text.
  if (data.getData('text/html').includes('data-upload-id')) return false;
  const text = data.getData('text/plain');
  if (text === '') return true;
  insertText(view, text);
  return true;
}

function handleDrop(view: EditorView, event: DragEvent, options: ComposerEditorOptions): boolean {
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length === 0) return false;
  event.preventDefault();
  event.stopPropagation();
  const place = view.posAtCoords({ left: event.clientX, top: event.clientY });
  insertPictures(view, options.addFiles(files), place?.pos);
  view.focus();
  return true;
}

function insertText(view: EditorView, text: string): void {
  const { schema } = view.state;
  const hardBreak = schema.nodes['hardBreak'];
  const nodes = text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .flatMap((line, index) => {
      const words = line === '' ? [] : [schema.text(line)];
      return index === 0 || hardBreak === undefined ? words : [hardBreak.create(), ...words];
    });
  const { from, to } = view.state.selection;
  view.dispatch(view.state.tr.replaceWith(from, to, nodes).scrollIntoView());
}
