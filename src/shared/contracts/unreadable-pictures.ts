import type { Notice } from '../domain/turn.ts';
import type { PromptPart, PromptTurn } from './worker-protocol.ts';

/** What a turn says that was nothing but pictures which cannot be read: an empty one would vanish, and its reply with it. */
const placeholder: PromptPart = { kind: 'undrawn', caption: 'a picture that cannot be read' };

/** Turns without the pictures of these paths; a caption stays as words, as that of a picture that was not drawn. */
export function leaveOutPictures(
  turns: readonly PromptTurn[],
  unreadable: ReadonlySet<string>,
): PromptTurn[] {
  return turns.map((turn) => {
    const parts = turn.parts.flatMap((part): PromptPart[] => {
      if (part.kind !== 'picture' || !unreadable.has(part.path)) return [part];
      return part.caption === null ? [] : [{ kind: 'undrawn', caption: part.caption }];
    });
    const isLess = parts.length < turn.parts.length;
    const isEmpty = parts.every((part) => part.kind === 'text' && part.text.trim() === '');
    return { role: turn.role, parts: isLess && isEmpty ? [placeholder] : parts };
  });
}

/** What a person is told about pictures that the model does not see. */
export function unreadableNotice(count: number): Notice {
  const message =
    count === 1
      ? 'A picture of this conversation cannot be read; the model does not see it.'
      : `${count} pictures of this conversation cannot be read; the model does not see them.`;
  return { code: 'picture-unreadable', message };
}
