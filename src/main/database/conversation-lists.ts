import { z } from 'zod';
import {
  conversationSummarySchema,
  tagBounds,
  tagSchema,
  type ConversationFilter,
  type ConversationSummary,
} from '../../shared/domain/conversation.ts';
import { searchWords } from '../../shared/domain/fold.ts';
import { filterParameters, listQueries, type SummaryRow } from './list-queries.ts';
import type { StudioDatabase } from './open.ts';
import { conversationOfRow, hasWords, snippetOf, type FullText } from './search.ts';

export interface ConversationList {
  readonly conversations: readonly ConversationSummary[];
  /** How many there are without limit and offset; of a search that ended early how many were found until then. */
  readonly total: number;
  /** There are more than `total`. */
  readonly isMore: boolean;
}

export interface SearchRequest {
  readonly typed: string;
  readonly filter: ConversationFilter;
  readonly limit: number;
  readonly offset: number;
}

/** A search that is done piece by piece, so that nothing else waits for all of it. */
export interface SearchUnderWay {
  readonly request: SearchRequest;
  readonly words: readonly string[];
  /** The newest row of full text with the words, by conversation key; the newest conversation first. */
  readonly found: Map<number, number>;
  /** Rows that may have the words, by conversation key, where they are few enough to be known; else null. */
  candidates: ReadonlyMap<number, readonly number[]> | null;
  /** Where conversations were read up to. */
  from: { readonly updated: number; readonly key: number };
  state: 'looking' | 'reading' | 'done';
  isMore: boolean;
}

/** Lists and searches of conversations. */
export interface ConversationLists {
  list(limit: number, offset: number, filter?: ConversationFilter): ConversationList;
  /** All of a search at once. */
  search(
    typed: string,
    limit: number,
    offset: number,
    filter?: ConversationFilter,
  ): ConversationList;
  beginSearch(request: SearchRequest): SearchUnderWay;
  /** Goes on with a search by some milliseconds of work; null until it is done. */
  searchOn(search: SearchUnderWay): ConversationList | null;
  /** What a filter may name: tags, and models that wrote a reply. */
  filterWords(): { readonly tags: string[]; readonly models: string[] };
}

/** Hits up to which a search looks at every one of them, and so knows how many conversations there are. */
const fewHits = 1_000;
/** Hits up to which they alone are read, from the newest conversation on: to list as many takes 2 ms. */
const manyHits = 5_000;
/** Texts that are read in one go: some 5 ms. */
const readAtOnce = 2_000;
/** Texts that are read before more hits are asked for: some 1.5 ms, where a thousand hits more take 3. */
const tried = 600;

/** Prepares lists and searches. */
export function createConversationLists(
  database: StudioDatabase,
  fullText: FullText,
): ConversationLists {
  const plain = database.prepare<[number, number], SummaryRow>(listQueries.list);
  const count = database.prepare<[], number>(listQueries.count).pluck();
  const some = database.prepare<[object], SummaryRow>(listQueries.filtered);
  const someCount = database.prepare<[object], number>(listQueries.filteredCount).pluck();
  const tags = database.prepare<[], string>(listQueries.tags).pluck();
  const models = database.prepare<[], string>(listQueries.models).pluck();
  const { beginSearch, searchOn } = createSearch(database, fullText);
  return {
    list(limit, offset, filter = {}) {
      const isPlain = Object.values(filter).every(
        (value) => value === undefined || value === false,
      );
      const asked = { ...filterParameters(filter), archived: filter.archived === true ? 1 : 0 };
      const rows = isPlain ? plain.all(limit, offset) : some.all({ ...asked, limit, offset });
      return {
        conversations: rows.flatMap((row) => readable(toSummary(row, null))),
        total: (isPlain ? count.get() : someCount.get(asked)) ?? 0,
        isMore: false,
      };
    },
    search(typed, limit, offset, filter = {}) {
      const search = beginSearch({ typed, limit, offset, filter });
      for (;;) {
        const list = searchOn(search);
        if (list !== null) return list;
      }
    },
    beginSearch,
    searchOn,
    filterWords: () => ({ tags: tags.all(), models: models.all() }),
  };
}

type Search = Pick<ConversationLists, 'beginSearch' | 'searchOn'>;

/**
 * Few hits are looked at one by one. Of many, conversations are read from the newest on until a page is full: of those
 * with hits, these alone; what most texts have is found in the first of them.
 */
function createSearch(database: StudioDatabase, fullText: FullText): Search {
  const changedAt = database.prepare<[object], number>(listQueries.found).pluck();
  const one = database.prepare<[number], SummaryRow>(listQueries.one);
  const readOn = createReading(database, fullText);
  const listOf = ({ request, words, found, isMore }: SearchUnderWay): ConversationList => {
    const parameters = parametersOf(request);
    const rows = [...found].flatMap(([key, hit]) => {
      const at = changedAt.get({ ...parameters, key });
      return at === undefined ? [] : [{ key, hit, at }];
    });
    rows.sort((a, b) => b.at - a.at || b.key - a.key);
    const page = rows.slice(request.offset, request.offset + request.limit);
    return {
      conversations: page.flatMap(({ key, hit }) => {
        const row = one.get(key);
        const snippet = snippetOf(fullText.body(hit) ?? '', words);
        return row === undefined ? [] : readable(toSummary(row, snippet));
      }),
      total: rows.length,
      isMore,
    };
  };
  return {
    beginSearch: (request) => ({
      request,
      words: searchWords(request.typed),
      found: new Map(),
      candidates: null,
      from: { updated: Number.MAX_SAFE_INTEGER, key: Number.MAX_SAFE_INTEGER },
      state: 'looking',
      isMore: false,
    }),
    searchOn(search) {
      if (search.words.length === 0) return { conversations: [], total: 0, isMore: false };
      if (search.state === 'looking') look(fullText, search, readOn);
      else if (search.state === 'reading') readOn(search, readAtOnce);
      return search.state === 'done' ? listOf(search) : null;
    },
  };
}

/** Rows of full text by their conversation, the newest first. */
function byConversation(rows: readonly number[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const row of rows.toSorted((a, b) => b - a)) {
    const conversation = conversationOfRow(row);
    const own = found.get(conversation);
    if (own === undefined) found.set(conversation, [row]);
    else own.push(row);
  }
  return found;
}

function* bodiesOf(fullText: FullText, rows: readonly number[]) {
  for (const rowid of rows) yield { rowid, body: fullText.body(rowid) ?? '' };
}

/** Takes rows until there are more than so many. @returns whether there are */
function take(from: Iterator<number>, into: number[], most: number): boolean {
  while (into.length <= most) {
    const next = from.next();
    if (next.done === true) return false;
    into.push(next.value);
  }
  return true;
}

/**
 * Few hits: each is looked at. Of many, the newest texts are tried: what most conversations have fills a page there. Else the
 * search goes on by reading those with hits, or all where nearly every text has one.
 */
function look(fullText: FullText, search: SearchUnderWay, readOn: Reading): void {
  search.state = 'reading';
  const rows: number[] = [];
  const hits = fullText.candidates(search.words);
  if (hits === null) return;
  try {
    if (!take(hits, rows, fewHits)) {
      lookAt(fullText, search, rows);
      return;
    }
    if (readOn(search, tried)) return;
    if (!take(hits, rows, manyHits)) search.candidates = byConversation(rows);
  } finally {
    hits.return?.();
  }
}

function lookAt(fullText: FullText, search: SearchUnderWay, rows: readonly number[]): void {
  const { words, found } = search;
  for (const row of rows) {
    const conversation = conversationOfRow(row);
    if ((found.get(conversation) ?? -1) >= row) continue;
    if (hasWords(fullText.body(row) ?? '', words)) found.set(conversation, row);
  }
  search.state = 'done';
}

const parametersOf = ({ filter }: SearchRequest) => ({
  ...filterParameters(filter),
  archived: filter.archived === undefined ? null : Number(filter.archived),
});

/** Reads so many texts at most, from the newest conversation on. @returns whether the search is done: a page is full */
type Reading = (search: SearchUnderWay, most: number) => boolean;

function createReading(database: StudioDatabase, fullText: FullText): Reading {
  const next = database.prepare<[object], { key: number; updated_at: number }>(listQueries.next);
  return (search, most) => {
    const { request, found } = search;
    const wanted = request.offset + request.limit;
    let left = most;
    while (left > 0) {
      const page = next.all({ ...parametersOf(request), ...search.from, limit: 20 });
      for (const { key, updated_at: updated } of page) {
        const { row, read } = rowWith(fullText, key, search);
        left -= read + 1;
        search.from = { updated, key };
        if (row === null) continue;
        search.isMore = found.size >= wanted;
        if (search.isMore) break;
        found.set(key, row);
      }
      if (search.isMore || page.length === 0) {
        search.state = 'done';
        return true;
      }
    }
    return false;
  };
}

/** The newest row of a conversation with the words, and how many texts were read for it. */
function rowWith(
  fullText: FullText,
  conversation: number,
  { words, candidates }: Pick<SearchUnderWay, 'words' | 'candidates'>,
) {
  let read = 0;
  const texts =
    candidates === null
      ? fullText.bodies(conversation)
      : bodiesOf(fullText, candidates.get(conversation) ?? []);
  for (const { rowid, body } of texts) {
    read += 1;
    if (hasWords(body, words)) return { row: rowid, read };
  }
  return { row: null, read };
}

/** A row that the window could not take is left out, alone: the next start gives it what it lacks. */
function readable(summary: ConversationSummary): ConversationSummary[] {
  return conversationSummarySchema.safeParse(summary).success ? [summary] : [];
}

const tagsSchema = z.array(tagSchema).max(tagBounds.mostTags).catch([]);

/** None where they cannot be read. */
export function readTags(text: string): string[] {
  try {
    return tagsSchema.parse(JSON.parse(text));
  } catch {
    return [];
  }
}

/** @param snippet for a search: what was found in its surroundings */
export function toSummary(row: SummaryRow, snippet: string | null): ConversationSummary {
  return {
    id: row.id,
    title: row.title,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    turnCount: row.turn_count,
    snippet,
    pinned: row.pinned === 1,
    archived: row.archived === 1,
    tags: readTags(row.tags),
    thumbnail: row.thumbnail,
  };
}
