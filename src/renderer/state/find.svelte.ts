import { fold, occurrences } from '../../shared/domain/fold.ts';
import type { Reply, ReplyPart } from '../../shared/domain/reply.ts';
import { altOf } from '../../shared/domain/picture.ts';
import type { ChatStore } from './chat.svelte.ts';
import type { RevealStore } from './reveal.svelte.ts';

interface Place {
  readonly turnId: string;
  readonly partIndex: number;
}

/** Finding words in the open conversation, in turns that are not made on the page too. */
export class FindStore {
  isOpen = $state(false);
  query = $state('');
  /** Which of the places is shown, from 0. */
  #at = $state(0);
  readonly #chat: ChatStore;
  readonly #reveal: RevealStore;
  readonly #places: readonly Place[] = $derived.by(() => {
    const words = fold(this.query.trim());
    return this.isOpen && words !== '' ? placesOf(this.#chat.turns, words) : [];
  });

  constructor(chat: ChatStore, reveal: RevealStore) {
    this.#chat = chat;
    this.#reveal = reveal;
  }

  get count(): number {
    return this.#places.length;
  }

  /** From 1; 0 where there is none. */
  get number(): number {
    return this.count === 0 ? 0 : Math.min(this.#at, this.count - 1) + 1;
  }

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
    this.#reveal.clear();
  }

  /** Looks for other words, and shows the last place that has them: what was said last is what is looked for most. */
  look(query: string): void {
    this.query = query;
    this.#at = Math.max(0, this.count - 1);
    this.#show();
  }

  step(by: 1 | -1): void {
    if (this.count === 0) return;
    this.#at = (this.number - 1 + by + this.count) % this.count;
    this.#show();
  }

  #show(): void {
    const { conversationId } = this.#chat;
    const place = this.#places[this.number - 1];
    if (conversationId === null || place === undefined) this.#reveal.clear();
    else void this.#reveal.show({ conversationId, ...place }, [this.query.trim()]);
  }
}

function placesOf(turns: readonly Reply[], words: string): Place[] {
  return turns.flatMap(({ id: turnId, parts }) =>
    parts.flatMap((part, partIndex) =>
      occurrences(wordsOf(part), [words]).length > 0 ? [{ turnId, partIndex }] : [],
    ),
  );
}

function wordsOf(part: ReplyPart): string {
  if (part.kind === 'text') return part.text;
  return part.kind === 'picture' ? (altOf(part.picture) ?? '') : part.caption;
}
