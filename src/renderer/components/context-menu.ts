import type { Attachment } from 'svelte/attachments';
import type { MenuItem } from './menu-item.ts';

const menus = new WeakMap<Element, () => readonly MenuItem[]>();

/** Says what the context menu of an element offers; it is asked each time that one is opened in it. */
export function contextMenu(items: () => readonly MenuItem[]): Attachment {
  return (element) => {
    menus.set(element, items);
    return () => menus.delete(element);
  };
}

/** What the nearest element around `target` offers that says so; empty where none does. */
export function itemsAt(target: Element): readonly MenuItem[] {
  for (let at: Element | null = target; at !== null; at = at.parentElement) {
    const items = menus.get(at)?.();
    if (items !== undefined) return items;
  }
  return [];
}

/** Where words are edited: a field, or the editor of a message. Null for one that cannot be changed. */
export function editableAt(target: Element): HTMLElement | null {
  const field = target.closest<HTMLElement>(
    'input:not([type=radio], [type=checkbox], [type=file]), textarea, [contenteditable="true"]',
  );
  return field === null || field.matches(':disabled, [readonly]') ? null : field;
}

/** True where some of a field's words are selected. */
export function hasSelection(field: HTMLElement): boolean {
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
    return field.selectionStart !== field.selectionEnd;
  }
  return document.getSelection()?.isCollapsed === false;
}

/** The selected words of the page, where they are those under `target`. */
export function selectedWords(target: Element): string {
  const selection = document.getSelection();
  if (selection === null || selection.isCollapsed) return '';
  return selection.containsNode(target, true) ? selection.toString() : '';
}
