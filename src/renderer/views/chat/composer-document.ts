import type { JSONContent } from '@tiptap/core';
import type { DraftPart } from '../../../shared/contracts/app-ipc.ts';
import type { DraftItem, Upload } from '../../state/drafts.svelte.ts';
import { t } from '../../texts.svelte.ts';

/** Name of the inline node that stands for a picture in the composer. */
export const pictureNode = 'picture';

/** Bounds of one message (`draftPartSchema`). */
export const maxParts = 200;
export const maxTextCharacters = 200_000;

/**
 * What a composed document says, in document order. A line break is "\n", a paragraph's end too. Text between two
 * pictures stays between them; nothing is trimmed here, since this is also what a draft keeps.
 */
export function itemsOf(document: JSONContent): readonly DraftItem[] {
  const items: DraftItem[] = [];
  const say = (text: string): void => {
    const last = items.at(-1);
    if (last?.kind === 'text') items[items.length - 1] = { kind: 'text', text: last.text + text };
    else items.push({ kind: 'text', text });
  };
  const paragraphs = document.content ?? [];
  paragraphs.forEach((paragraph, index) => {
    if (index > 0) say('\n');
    for (const node of paragraph.content ?? []) {
      if (node.type === 'text') say(node.text ?? '');
      else if (node.type === 'hardBreak') say('\n');
      else if (node.type === pictureNode) {
        items.push({ kind: 'picture', uploadId: String(node.attrs?.['uploadId'] ?? '') });
      }
    }
  });
  return items;
}

/** The reverse of {@link itemsOf}; every "\n" becomes a line break of one paragraph. */
export function documentOf(items: readonly DraftItem[]): JSONContent {
  const content = items.flatMap((item): JSONContent[] => {
    if (item.kind === 'picture') {
      return [{ type: pictureNode, attrs: { uploadId: item.uploadId } }];
    }
    return item.text.split('\n').flatMap((line, index): JSONContent[] => {
      const text = line === '' ? [] : [{ type: 'text', text: line }];
      return index === 0 ? text : [{ type: 'hardBreak' }, ...text];
    });
  });
  return { type: 'doc', content: [{ type: 'paragraph', content }] };
}

/** True when there is nothing to send: no picture, and no text but space. */
export function isEmpty(items: readonly DraftItem[]): boolean {
  return items.every((item) => item.kind === 'text' && item.text.trim() === '');
}

/**
 * The parts to send, in document order: the message's outer space is dropped, and text that is only space. Null when a
 * picture is not stored (yet), or when nothing is left.
 */
export function partsOf(
  items: readonly DraftItem[],
  uploads: ReadonlyMap<string, Upload>,
): readonly DraftPart[] | null {
  const parts: DraftPart[] = [];
  for (const [index, item] of items.entries()) {
    if (item.kind === 'picture') {
      const upload = uploads.get(item.uploadId);
      if (upload?.state !== 'stored') return null;
      parts.push({ kind: 'picture', pictureId: upload.picture.id });
      continue;
    }
    let { text } = item;
    if (index === 0) text = text.trimStart();
    if (index === items.length - 1) text = text.trimEnd();
    if (text.trim() !== '') parts.push({ kind: 'text', text });
  }
  return parts.length === 0 ? null : parts;
}

/** Why this draft is more than one message can hold; null when it is not. */
export function whyTooMuch(items: readonly DraftItem[]): string | null {
  const characters = items.reduce(
    (sum, item) => sum + (item.kind === 'text' ? item.text.length : 0),
    0,
  );
  if (characters > maxTextCharacters) {
    return t.composer.tooManyCharacters(characters, maxTextCharacters);
  }
  if (items.length > maxParts) return t.composer.tooManyParts(maxParts, items.length);
  return null;
}
