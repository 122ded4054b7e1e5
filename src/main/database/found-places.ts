import type { FoundPlace } from '../../shared/domain/found-place.ts';
import type { StudioDatabase } from './open.ts';
import { currentPath } from './path.ts';
import { toSearchQuery } from './search.ts';

/** The statements that find a place in a conversation; here so that a test can look at their plans. */
export const foundPlaceQueries = {
  /** ?1 query, ?2 conversation. The newest first; titles, in the odd rows, are no places. */
  places: `
SELECT p.turn_key, t.id AS turn_id, p.position, p.is_current, (
  SELECT count(*) FROM parts before
  WHERE before.turn_key = p.turn_key AND before.position = p.position AND before.kind <> 'text'
    AND before.deletion_key IS NULL AND before.key < p.key
) AS version
FROM search CROSS JOIN parts p ON p.key = search.rowid / 2 CROSS JOIN turns t ON t.key = p.turn_key
WHERE search MATCH ? AND search.conversation_key = (SELECT key FROM conversations WHERE id = ?) AND search.rowid % 2 = 0
ORDER BY search.rowid DESC`,
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
export function createFindPlace(database: StudioDatabase): FindPlace {
  const places = database.prepare<[string, string], PlaceRow>(foundPlaceQueries.places);
  const path = database.prepare<[string], number>(foundPlaceQueries.path).pluck();
  return (conversationId, typed) => {
    const query = toSearchQuery(typed);
    if (query === null) return null;
    const found = places.all(query, conversationId);
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
