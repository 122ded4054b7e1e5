import type { DraftPart } from '../../shared/contracts/app-ipc.ts';
import type { MessagePart } from '../../shared/domain/turn.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Store } from '../database/store.ts';

/**
 * The parts of a message that is to be sent, texts that follow one another joined.
 * @throws StudioError `bad-input` where it says nothing, `not-found` where one of its pictures is gone
 */
export function readDraft(store: Store, draft: readonly DraftPart[]): MessagePart[] {
  const parts = readParts(store, draft);
  const says = parts.some((part) => part.kind === 'picture' || isWords(part));
  if (!says) throw new StudioError('bad-input', 'There is nothing to send.');
  return parts;
}

/** As {@link readDraft}, of a message that may be empty still. */
export function readParts(store: Store, draft: readonly DraftPart[]): MessagePart[] {
  const parts: MessagePart[] = [];
  for (const part of draft) {
    const last = parts.at(-1);
    if (part.kind === 'picture') parts.push(readPicture(store, part.pictureId));
    else if (last?.kind === 'text')
      parts[parts.length - 1] = { ...last, text: last.text + part.text };
    else if (part.text !== '') parts.push({ kind: 'text', text: part.text });
  }
  return parts;
}

/** The reverse. */
export function draftOf(parts: readonly MessagePart[]): DraftPart[] {
  return parts.flatMap((part): DraftPart[] => {
    if (part.kind === 'text') return [part];
    return part.kind === 'picture' ? [{ kind: 'picture', pictureId: part.picture.id }] : [];
  });
}

function readPicture(store: Store, id: string): MessagePart {
  const picture = store.pictures.find(id);
  if (picture === null) throw new StudioError('not-found', `There is no picture ${id}.`);
  return { kind: 'picture', picture };
}

function isWords(part: MessagePart): boolean {
  return part.kind === 'text' && part.text.trim() !== '';
}
