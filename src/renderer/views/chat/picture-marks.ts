import { Extension } from '@tiptap/core';
import { NodeSelection, Plugin, TextSelection, type EditorState } from '@tiptap/pm/state';
import { Decoration, DecorationSet, type EditorView } from '@tiptap/pm/view';
import { pictureNode } from './composer-document.ts';

/** On each picture that a selection holds. Of a picture that is selected by itself its chip knows already. */
const inSelection = 'in-selection';
/** On the editor's parent while our caret stands in for the browser's. */
const ownCaret = 'own-caret';

/**
 * What the browser does not draw around pictures in a line: that a selection holds them, and a caret beside them, which
 * it hides behind an element that cannot be edited. The caret is laid over the editor, so that nothing changes in the
 * text where an input method may be composing.
 */
export const pictureMarks = Extension.create({
  name: 'pictureMarks',
  addProseMirrorPlugins: () => [
    new Plugin({
      props: { decorations: markSelected },
      view: (view) => new CaretBesidePictures(view),
    }),
  ],
});

function markSelected({ doc, selection }: EditorState): DecorationSet {
  if (selection.empty || selection instanceof NodeSelection) return DecorationSet.empty;
  const marks: Decoration[] = [];
  doc.nodesBetween(selection.from, selection.to, (node, position) => {
    if (node.type.name !== pictureNode) return;
    marks.push(Decoration.node(position, position + node.nodeSize, { class: inSelection }));
  });
  return DecorationSet.create(doc, marks);
}

/** True where the cursor touches a picture. */
export function isBesidePicture({ selection }: EditorState): boolean {
  if (!(selection instanceof TextSelection) || !selection.empty) return false;
  const { nodeBefore, nodeAfter } = selection.$head;
  return [nodeBefore, nodeAfter].some((node) => node?.type.name === pictureNode);
}

class CaretBesidePictures {
  readonly #caret = document.createElement('span');
  readonly #view: EditorView;
  readonly #refresh = (): void => this.update();
  /** A picture in the line has another width once it is there, and what stands behind it another place. */
  readonly #sizes = new ResizeObserver(() => this.#place());

  constructor(view: EditorView) {
    this.#view = view;
    this.#caret.className = 'caret';
    this.#caret.setAttribute('aria-hidden', 'true');
    view.dom.addEventListener('focus', this.#refresh);
    view.dom.addEventListener('blur', this.#refresh);
  }

  update(): void {
    const view = this.#view;
    const around = view.dom.parentElement;
    if (around === null) return;
    const isNeeded = view.hasFocus() && isBesidePicture(view.state);
    around.classList.toggle(ownCaret, isNeeded);
    this.#sizes.disconnect();
    if (!isNeeded) {
      this.#caret.remove();
      return;
    }
    // Anew each time: a caret that has just moved is seen.
    around.append(this.#caret);
    this.#place();
    this.#sizes.observe(around);
    for (const picture of picturesIn(view)) this.#sizes.observe(picture);
  }

  #place(): void {
    const around = this.#caret.parentElement;
    if (around !== null) placeAtCursor(this.#caret, this.#view, around);
  }

  destroy(): void {
    this.#sizes.disconnect();
    this.#caret.remove();
    this.#view.dom.removeEventListener('focus', this.#refresh);
    this.#view.dom.removeEventListener('blur', this.#refresh);
  }
}

/** What has the size of each picture of a line: the chip in its node, which itself is of the line and has none. */
function picturesIn(view: EditorView): Element[] {
  const found: Element[] = [];
  view.state.doc.descendants((node, position) => {
    const element = node.type.name === pictureNode ? view.nodeDOM(position) : null;
    if (element instanceof HTMLElement) found.push(element.firstElementChild ?? element);
  });
  return found;
}

/** Lays a mark over an editor at its cursor, as high as the line there. */
export function placeAtCursor(mark: HTMLElement, view: EditorView, around: HTMLElement): void {
  const { left, top, bottom } = view.coordsAtPos(view.state.selection.head);
  const box = around.getBoundingClientRect();
  mark.style.left = `${left - box.left + around.scrollLeft}px`;
  mark.style.top = `${top - box.top + around.scrollTop}px`;
  mark.style.height = `${bottom - top}px`;
}
