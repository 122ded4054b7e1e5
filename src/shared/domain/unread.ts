import type { MessagePart, Turn } from './turn.ts';

type Judged = Pick<Turn, 'id' | 'role' | 'status' | 'error'> & {
  readonly parts: readonly (MessagePart | { readonly kind: 'drawing' })[];
};

/** Ids of the person's turns whose reply failed before its first word: no later reply reads them. */
export function unreadMessages(turns: readonly Judged[]): ReadonlySet<string> {
  const unread = turns.filter((turn, index) => {
    const reply = turns[index + 1];
    return turn.role === 'user' && reply?.role === 'assistant' && failedUnsaid(reply);
  });
  return new Set(unread.map(({ id }) => id));
}

/** Whether a part has words or a picture for the model. */
export function saysSomething(part: Judged['parts'][number]): boolean {
  if (part.kind === 'text') return part.text !== '';
  if (part.kind === 'undrawn') return part.caption !== '';
  return true;
}

/** A worker that died under a reply died of the message, as far as anyone knows; an app that was closed did not. */
function failedUnsaid({ status, error, parts }: Judged): boolean {
  const failed = status === 'failed' || (status === 'interrupted' && error !== null);
  return failed && !parts.some(saysSomething);
}
