import { searchWords } from '../../shared/domain/fold.ts';
import type { FoundPlace } from '../../shared/domain/found-place.ts';
import type { StudioDatabase } from './open.ts';
import { currentPath } from './path.ts';
import { hasWords, partOfRow, type FullText } from './search.ts';

/** The statements that find a place in a conversation; here so that a test can look at their plans. */
export const foundPlaceQueries = {
  /** ?1 part. */
  place: `
SELECT p.turn_key, t.id AS turn_id, p.position, p.is_current, (
  SELECT count(*) FROM parts before
  WHERE before.turn_key = p.turn_key AND before.position = p.position AND before.kind <> 'text'
    AND before.deletion_key IS NULL AND before.key < p.key
) AS version
FROM parts p CROSS JOIN turns t ON t.key = p.turn_key WHERE p.key = ?`,
  /** ?1 conversation. */
  path: `${currentPath} SELECT key FROM path WHERE key IS NOT NULL`,
} as const;

interface PlaceRow {
  readonly turn_key: number;
  readonly turn_id: string;
  readonly position: number;
  readonly is_current: number;
  readonly version: number;
}

/** Finds where in a conversation typed words stand: the newest place that is shown, else the newest of a version. */
export type FindPlace = (conversationId: string, typed: string) => FoundPlace | null;

/** Prepares finding a place. */
export function createFindPlace(database: StudioDatabase, fullText: FullText): FindPlace {
  const keyOf = database
    .prepare<[string], number>('SELECT key FROM conversations WHERE id = ?')
    .pluck();
  const place = database.prepare<[number], PlaceRow>(foundPlaceQueries.place);
  const path = database.prepare<[string], number>(foundPlaceQueries.path).pluck();
  /** The newest first. All of one conversation is read: it is small beside what an index would have to be asked. */
  const partsWith = (conversation: number, words: readonly string[]): number[] => {
    const parts: number[] = [];
    for (const { rowid, body } of fullText.bodies(conversation)) {
      const part = partOfRow(rowid);
      if (part !== null && hasWords(body, words)) parts.push(part);
    }
    return parts;
  };
  return (conversationId, typed) => {
    const words = searchWords(typed);
    const key = keyOf.get(conversationId);
    if (words.length === 0 || key === undefined) return null;
    const found = partsWith(key, words).flatMap((part) => place.get(part) ?? []);
    const shown = new Set(path.all(conversationId));
    const isShown = (row: PlaceRow): boolean => shown.has(row.turn_key) && row.is_current === 1;
    const best = found.find(isShown) ?? found.find((row) => shown.has(row.turn_key)) ?? found[0];
    if (best === undefined) return null;
    return {
      turnId: best.turn_id,
      partIndex: best.position,
      isOnPath: shown.has(best.turn_key),
      drawing: best.is_current === 1 ? null : best.version,
    };
  };
}
