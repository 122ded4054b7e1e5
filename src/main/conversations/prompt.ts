import { spaced } from '../../shared/contracts/prompt-spacing.ts';
import type { PromptPart, PromptTurn } from '../../shared/contracts/worker-protocol.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { saysSomething, unreadMessages } from '../../shared/domain/unread.ts';

/**
 * The turns as the model is asked with them. A reply that says nothing is left out: an empty answer would teach the
 * model to give another. With one that failed the message before it goes too, so that one that cannot be read, as it is
 * too long, fails once and not in every later reply.
 */
export function toPrompt(
  turns: readonly Turn[],
  fileOf: (hash: string) => string,
): readonly PromptTurn[] {
  return readTurns(turns, fileOf).map(({ turn }) => turn);
}

/** As {@link toPrompt}, with the id of each turn that is read. */
export function readTurns(
  turns: readonly Turn[],
  fileOf: (hash: string) => string,
): readonly { readonly id: string; readonly turn: PromptTurn }[] {
  const unread = unreadMessages(turns);
  return turns.flatMap(({ id, role, parts }): { id: string; turn: PromptTurn }[] => {
    if (unread.has(id)) return [];
    const said = parts.filter(saysSomething).map((part) => toPromptPart(part, fileOf));
    if (role === 'user') return [{ id, turn: { role, parts: said.map(spaced) } }];
    // What the model wrote stays as it was, so that it is found again in the cache.
    return said.length === 0 ? [] : [{ id, turn: { role, parts: said } }];
  });
}

function toPromptPart(part: MessagePart, fileOf: (hash: string) => string): PromptPart {
  switch (part.kind) {
    case 'text':
      return { kind: 'text', text: part.text };
    case 'undrawn':
      return { kind: 'undrawn', caption: part.caption };
    case 'picture': {
      const { hash, caption } = part.picture;
      return { kind: 'picture', path: fileOf(hash), caption };
    }
  }
}

/** What the model is told, as a request has it: nothing is left out. */
export function told(system: string): { readonly system?: string } {
  return system.trim() === '' ? {} : { system: system.trim() };
}
