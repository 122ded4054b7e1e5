import type { LanguageTokenizer } from './tokenizer.ts';

/** Turns a stream of token ids into text, piece by piece. */
export interface Detokenizer {
  /** The text that these tokens complete. Bytes of an unfinished character are held back. */
  push(ids: readonly number[]): string;
  /** What is still held back, with U+FFFD for a character that never got its last bytes; then starts afresh. */
  flush(): string;
}

/**
 * A detokeniser for one stretch of text (a reply's text, or one caption). Tokens become bytes, and the bytes a
 * stream of UTF-8, so a character cut between two tokens is never shown half. Special tokens say nothing.
 *
 * @param stripLeadingSpace whether the very first space is the tokenizer's word marker and not text
 */
export function createDetokenizer(
  tokenizer: Pick<LanguageTokenizer, 'kind' | 'pieceOf' | 'specialIds'>,
  stripLeadingSpace = tokenizer.kind === 'sentencepiece',
): Detokenizer {
  let decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let atStart = stripLeadingSpace;
  const strip = (text: string): string => {
    if (!atStart || text === '') return text;
    atStart = false;
    return text.startsWith(' ') ? text.slice(1) : text;
  };
  return {
    push(ids) {
      const bytes = ids
        .filter((id) => !tokenizer.specialIds.has(id))
        .flatMap((id) => pieceBytes(tokenizer.kind, tokenizer.pieceOf(id) ?? ''));
      return strip(decoder.decode(Uint8Array.from(bytes), { stream: true }));
    },
    flush() {
      const rest = strip(decoder.decode());
      decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      atStart = stripLeadingSpace;
      return rest;
    },
  };
}

function pieceBytes(kind: LanguageTokenizer['kind'], piece: string): number[] {
  return kind === 'byte-level' ? byteLevelBytes(piece) : sentencePieceBytes(piece);
}

const encoder = new TextEncoder();

/** SentencePiece: `<0x0A>` is a byte, U+2581 a space, the rest itself. */
function sentencePieceBytes(piece: string): number[] {
  if (/^<0x[0-9A-F]{2}>$/.test(piece)) return [Number.parseInt(piece.slice(3, 5), 16)];
  return [...encoder.encode(piece.replaceAll('\u2581', ' '))];
}

/** GPT-2's byte-level alphabet: each character stands for one byte; anything outside it is literal text. */
function byteLevelBytes(piece: string): number[] {
  return [...piece].flatMap((character) => {
    const byte = byteOfCharacter.get(character);
    return byte === undefined ? [...encoder.encode(character)] : [byte];
  });
}

/** Printable bytes stand for themselves; the others are moved, in order, to U+0100 and on. */
const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let moved = 0;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [
      String.fromCharCode(printable(byte) ? byte : 0x100 + moved++),
      byte,
    ]),
  );
})();
