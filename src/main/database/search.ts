import { fold } from '../../shared/domain/fold.ts';
import type { StudioDatabase } from './connection.ts';

/** Rows of full text that one conversation may have: its key times this is where they begin. */
export const rowsOfConversation = 2 ** 32;

/** The key of a conversation that a row of full text belongs to. */
export const conversationOfRow = (row: number): number => Math.floor(row / rowsOfConversation);

/** The key of the part of a row; null for a title. */
export const partOfRow = (row: number): number | null => {
  const own = row % rowsOfConversation;
  return own % 2 === 0 ? own / 2 : null;
};

/** First and last row of a conversation. */
export const rowsOf = (conversation: number): readonly [number, number] => [
  conversation * rowsOfConversation,
  (conversation + 1) * rowsOfConversation - 1,
];

/**
 * The statements of full text; here so that a test can look at their plans. The driver binds a number as a real, by
 * which full text finds no row: hence the casts.
 */
export const searchQueries = {
  /** ?1 query. */
  hits: 'SELECT rowid FROM search WHERE search MATCH ?',
  /** ?1 row. */
  body: 'SELECT body FROM search WHERE rowid = CAST(? AS INTEGER)',
  /** ?1 first row, ?2 last row; the newest first. */
  bodies:
    'SELECT rowid, body FROM search WHERE rowid BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER) ORDER BY rowid DESC',
  /** ?1 what it is not less than. */
  term: 'SELECT term FROM temp.search_terms WHERE term >= ? LIMIT 1',
} as const;

/** Letters of a trigram. */
const gram = 3;
/** A word of one or two letters that is the beginning of more trigrams than this is read for, not looked up. */
const mostContinuations = 300;
/** Trigrams of one word that are asked for; the whole word is looked for in what they find anyway. */
const mostGrams = 12;

/** Asks full text for rows. */
export interface FullText {
  /**
   * Rows that may have all the words, in no order, found as they are taken: nothing can be written until the last one is, or
   * it is given back. Null where a word is so short that most texts have it.
   */
  candidates(words: readonly string[]): IterableIterator<number> | null;
  body(row: number): string | null;
  /** The rows of a conversation from the newest on. */
  bodies(conversation: number): IterableIterator<{ readonly rowid: number; readonly body: string }>;
}

/** Prepares full text's statements. `search_terms` lists the trigrams that there are. */
export function createFullText(database: StudioDatabase): FullText {
  database.exec(
    `CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_terms USING fts5vocab('main', 'search', 'instance')`,
  );
  const hits = database.prepare<[string], number>(searchQueries.hits).pluck();
  const body = database.prepare<[number], string>(searchQueries.body).pluck();
  const bodies = database.prepare<[number, number], { rowid: number; body: string }>(
    searchQueries.bodies,
  );
  const term = database.prepare<[string], string>(searchQueries.term).pluck();
  const continuations = (beginning: string): readonly string[] | null => {
    const found: string[] = [];
    for (
      let next = term.get(beginning);
      next?.startsWith(beginning) === true;
      next = term.get(`${next}\u0001`)
    ) {
      if (found.length === mostContinuations) return null;
      found.push(next);
    }
    return found;
  };
  return {
    candidates(words) {
      const query = toMatch(words, continuations);
      if (query === null) return null;
      return query === '' ? [].values() : hits.iterate(query);
    },
    body: (row) => body.get(row) ?? null,
    bodies: (conversation) => bodies.iterate(...rowsOf(conversation)),
  };
}

/**
 * Words as a query of trigrams, quoted, so that no letter of it is an operator. Empty where a short word begins no
 * trigram, so that nothing has it; null where it begins too many.
 * @param continuations the trigrams that begin with fewer letters
 */
export function toMatch(
  words: readonly string[],
  continuations: (beginning: string) => readonly string[] | null,
): string | null {
  const groups: string[] = [];
  for (const word of words) {
    const letters = [...word];
    if (letters.length >= gram) {
      groups.push(...gramsOf(letters).map(quoted));
      continue;
    }
    const found = continuations(word);
    if (found === null) return null;
    if (found.length === 0) return '';
    groups.push(`(${found.map(quoted).join(' OR ')})`);
  }
  return groups.join(' AND ');
}

/** Side by side, and the last: all letters are in one, and each more is one more list for full text to go through. */
function gramsOf(letters: readonly string[]): readonly string[] {
  const last = letters.length - gram;
  const starts = Array.from({ length: last + 1 }, (_, at) => at);
  const grams = starts
    .filter((at) => at % gram === 0 || at === last)
    .map((at) => letters.slice(at, at + gram).join(''));
  return [...new Set(grams)].slice(0, mostGrams);
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Whether a text has all of the folded words. */
export function hasWords(text: string, words: readonly string[]): boolean {
  const folded = fold(text);
  return words.every((word) => folded.includes(word));
}

/** Letters of a snippet in front of what was found, and in all. */
const before = 36;
const snippetLength = 110;

/** What was found in its surroundings, on one line. */
export function snippetOf(body: string, words: readonly string[]): string {
  const text = body.replaceAll(/\s+/g, ' ').trim();
  const folded = fold(text);
  const places = words.map((word) => folded.indexOf(word)).filter((at) => at >= 0);
  const at = places.length === 0 ? 0 : Math.min(...places);
  let from = at <= before ? 0 : at - before;
  // At a space, where there is one near.
  const space = text.indexOf(' ', from);
  if (from > 0 && space >= 0 && space < at && space - from < 16) from = space + 1;
  const letters = [...text.slice(from)];
  const shown = letters.slice(0, snippetLength).join('').trimEnd();
  return `${from > 0 ? '…' : ''}${shown}${letters.length > snippetLength ? '…' : ''}`;
}
