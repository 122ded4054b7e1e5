import type { LanguageTokenizer } from '../../../src/worker/inputs/tokenizer.ts';

/** A tokenizer for tests: special tokens first, then one token for each word with the space before it. */
export interface WordTokenizer extends LanguageTokenizer {
  /** All tokens as text, special ones too. */
  spell(ids: readonly number[]): string;
  /** The id of one token, made if it is new. */
  id(token: string): number;
}

const special = ['<unk>', '<s>', '</s>', '<image>', '<start>', '<end>'];

export function createWordTokenizer(): WordTokenizer {
  const pieces = [...special];
  const id = (token: string): number => {
    const known = pieces.indexOf(token);
    return known >= 0 ? known : pieces.push(token) - 1;
  };
  const tag = '<(?:unk|s|/s|image|start|end)>';
  const pattern = new RegExp(`${tag}|\\s*(?!${tag})<?[^\\s<]+|\\s*(?!${tag})<|\\s+`, 'g');
  const spell = (ids: readonly number[]): string => ids.map((each) => pieces[each] ?? '').join('');
  return {
    // Pieces are plain text, so the SentencePiece rules leave them as they are.
    kind: 'sentencepiece',
    encode: (text) => (text.match(pattern) ?? []).map(id),
    decode: (ids) => spell(ids.filter((each) => each >= special.length)),
    pieceOf: (each) => pieces[each],
    specialTokens: special,
    specialIds: new Set(special.keys()),
    beginToken: '<s>',
    endOfTurnToken: '</s>',
    endOfTurnId: 2,
    size: 200,
    imageId: 3,
    startId: 4,
    endId: 5,
    spell,
    id,
  };
}
