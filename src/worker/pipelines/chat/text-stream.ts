import { createDetokenizer, type Detokenizer } from '../../inputs/detokenizer.ts';
import type { LanguageTokenizer } from '../../inputs/tokenizer.ts';

/** The text of a reply as it is written; white space at its two ends is the prompt's form, not text. */
export class TextStream {
  readonly #detokenizer: Detokenizer;
  readonly #emit: (text: string) => void;
  /** White space that is only text if words follow. */
  #held = '';
  #atStart: boolean;

  /**
   * @param skipLeadingSpace drops white space before the first words
   */
  constructor(
    tokenizer: LanguageTokenizer,
    emit: (text: string) => void,
    skipLeadingSpace: boolean,
  ) {
    this.#detokenizer = createDetokenizer(tokenizer);
    this.#emit = emit;
    this.#atStart = skipLeadingSpace;
  }

  push(ids: readonly number[]): void {
    this.#take(this.#detokenizer.push(ids));
  }

  /** Ends a stretch before a picture: the space in front of it stays, so that the next prompt reads the same. */
  pause(): void {
    this.#take(this.#detokenizer.flush());
    if (this.#held !== '') this.#emit(this.#held);
    this.#held = '';
    this.#atStart = false;
  }

  /** Ends the text. */
  finish(): void {
    this.#take(this.#detokenizer.flush());
    this.#held = '';
  }

  #take(piece: string): void {
    const text = this.#held + (this.#atStart && this.#held === '' ? piece.trimStart() : piece);
    const words = text.trimEnd();
    this.#held = text.slice(words.length);
    if (words === '') return;
    this.#atStart = false;
    this.#emit(words);
  }
}
