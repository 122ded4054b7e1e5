import type { Reply, ReplyPart } from '../../shared/domain/reply.ts';
import { t } from '../texts.svelte.ts';

/** Text and captions of a turn in reading order, for a screen reader and for copying. */
export function plainTextOf(turn: Reply): string {
  return turn.parts
    .map((part) => {
      if (part.kind === 'text') return part.text.trim();
      const caption = captionOf(part);
      return caption === '' ? '[picture]' : t.chat.pictureInWords(caption);
    })
    .filter((piece) => piece !== '')
    .join('\n');
}

/** The words that belong to a part's picture; empty where there are none. */
export function captionOf(part: ReplyPart): string {
  switch (part.kind) {
    case 'picture':
      return part.picture.caption ?? '';
    case 'undrawn':
    case 'drawing':
      return part.caption;
    case 'text':
      return '';
    default:
      return part satisfies never;
  }
}
