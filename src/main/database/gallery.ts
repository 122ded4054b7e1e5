import {
  galleryItemSchema,
  type GalleryFilter,
  type GalleryItem,
  type GalleryPlace,
} from '../../shared/domain/gallery.ts';
import type { StudioDatabase } from './open.ts';
import { pictureFromRow, type PictureRow } from './pictures.ts';
import { versionQueries } from './versions.ts';

/** Turns that are not shown anywhere: deleted ones, and all of a conversation in the trash. Few, so looked up once. */
const goneTurns = `(
  SELECT key FROM turns WHERE deletion_key IS NOT NULL
  UNION ALL
  SELECT t.key FROM conversations c CROSS JOIN turns t ON t.conversation_key = c.key WHERE c.deleted_at > 0
)`;

/** Pictures that some part shows, whichever version it is; answered by the index on parts alone. */
const shownPictures = `
SELECT DISTINCT p.picture_key AS key FROM parts p INDEXED BY parts_by_picture
WHERE p.picture_key IS NOT NULL AND p.deletion_key IS NULL AND p.turn_key NOT IN ${goneTurns}`;

const filters = {
  all: '',
  drawn: `AND i.origin = 'drawn'`,
  added: `AND i.origin = 'user'`,
  favourites: 'AND i.favourite = 1',
} as const satisfies Record<GalleryFilter, string>;

/** A picture's newest place that is shown; of those that stand in several, one that is current first. */
const placeOf = `
SELECT p.key AS part_key, p.position, p.is_current, t.key AS turn_key, t.id AS turn_id,
  c.id AS conversation_id, c.title
FROM pictures i CROSS JOIN parts p ON p.picture_key = i.key CROSS JOIN turns t ON t.key = p.turn_key
JOIN conversations c ON c.key = t.conversation_key
WHERE i.key = ? AND p.deletion_key IS NULL AND t.deletion_key IS NULL AND c.deleted_at IS NULL
ORDER BY p.is_current DESC, p.key DESC LIMIT 1`;

/** The statements of the gallery; here so that a test can look at their plans. */
export const galleryQueries = {
  all: `${shownPictures} ORDER BY p.picture_key DESC`,
  placeOf,
} as const;

interface PlaceRow {
  readonly part_key: number;
  readonly position: number;
  readonly is_current: number;
  readonly turn_id: string;
  readonly conversation_id: string;
  readonly title: string;
}

type ItemRow = PictureRow & { readonly created_at: number };

/** Queries on the pictures of all conversations. */
export interface GalleryTable {
  /** Keys of the pictures that a filter and typed words leave, the last that came first. */
  keys(filter: GalleryFilter, typed: string): number[];
  /** Those of the keys that are still shown, in their order. */
  items(keys: readonly number[]): GalleryItem[];
  /** Where a picture stands; null where it stands nowhere any more. */
  place(pictureId: string): GalleryPlace | null;
}

/** Prepares the queries of the gallery. */
export function createGalleryTable(database: StudioDatabase): GalleryTable {
  const all = database.prepare<[], number>(galleryQueries.all).pluck();
  const item = database.prepare<[number], ItemRow>('SELECT * FROM pictures WHERE key = ?');
  const place = database.prepare<[number], PlaceRow>(placeOf);
  const keyOf = database.prepare<[string], number>('SELECT key FROM pictures WHERE id = ?').pluck();
  const ancestors = database.prepare<[string]>(versionQueries.ancestors);
  const drawingsAt = database.prepare<[number, string], { key: number }>(versionQueries.drawingsAt);
  return {
    keys(filter, typed) {
      const words = wordsOf(typed);
      if (filter === 'all' && words.length === 0) return all.all();
      const said = words.map(() => saidSomewhere).join(' ');
      const statement = database.prepare<unknown[], number>(
        `SELECT i.key FROM pictures i WHERE i.key IN (${shownPictures}) ${filters[filter]} ${said}
         ORDER BY i.key DESC`,
      );
      return statement.pluck().all(words.flatMap((word) => likeAnyCase(word)));
    },
    items: (keys) =>
      keys.flatMap((key) => {
        const [row, at] = [item.get(key), place.get(key)];
        if (row === undefined || at === undefined) return [];
        const read = galleryItemSchema.safeParse({
          picture: readPicture(row),
          createdAt: row.created_at,
          conversation: { id: at.conversation_id, title: at.title },
        });
        return read.success ? [read.data] : [];
      }),
    place(pictureId) {
      const at = place.get(keyOf.get(pictureId) ?? -1);
      if (at === undefined) return null;
      const drawings = drawingsAt.all(at.position, at.turn_id);
      return {
        conversationId: at.conversation_id,
        turnId: at.turn_id,
        partIndex: at.position,
        isOnPath: ancestors.all(at.turn_id).length === 0,
        drawing: at.is_current === 1 ? null : drawings.findIndex(({ key }) => key === at.part_key),
      };
    },
  };
}

/** A row that is damaged is left out, alone. */
function readPicture(row: PictureRow): unknown {
  try {
    return pictureFromRow(row);
  } catch {
    return null;
  }
}

const mostWords = 12;

function wordsOf(typed: string): string[] {
  return typed
    .split(/\s+/u)
    .filter((word) => word !== '')
    .slice(0, mostWords);
}

/** One typed word, anywhere in what is said of a picture: caption, description, file name; four spellings of it. */
const saidSomewhere = `AND (${['caption', 'alt', 'name']
  .flatMap((column) => Array.from({ length: 4 }, () => `i.${column} LIKE ? ESCAPE '\\'`))
  .join(' OR ')})`;

/** LIKE knows upper and lower case of English letters only, so that others are looked for in four spellings. */
function likeAnyCase(word: string): string[] {
  const lower = word.toLowerCase();
  const spellings = [
    word,
    lower,
    word.toUpperCase(),
    lower.charAt(0).toUpperCase() + lower.slice(1),
  ];
  const patterns = spellings.map(
    (each) => `%${each.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`,
  );
  return [...patterns, ...patterns, ...patterns];
}
