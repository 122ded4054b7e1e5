import type { Turn } from '../../shared/domain/turn.ts';

/** The turns up to and with the one named; none where it is null, all where it is not shown (it was deleted). */
export function shownThrough(turns: readonly Turn[], turnId: string | null): readonly Turn[] {
  if (turnId === null) return [];
  const index = turns.findIndex(({ id }) => id === turnId);
  return index < 0 ? turns : turns.slice(0, index + 1);
}

/**
 * The caption that a reply which goes on must draw first: its last part, where Stop or a crash came before the picture.
 * As words it would lead the model to say its sentence again and to draw a second picture.
 */
export function captionToResume({ parts }: Turn): string | null {
  const last = parts.at(-1);
  if (last?.kind !== 'undrawn' || last.error.kind !== 'cancelled') return null;
  return last.caption.trim() === '' ? null : last.caption;
}
