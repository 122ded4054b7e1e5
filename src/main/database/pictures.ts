import {
  pictureRecipeSchema,
  pictureSchema,
  type Picture,
  type PictureChange,
} from '../../shared/domain/picture.ts';
import type { StudioDatabase } from './open.ts';
import { draftRowPrefix } from './settings.ts';

/** A picture's row as the queries name its columns. */
export interface PictureRow {
  readonly id: string;
  readonly hash: string;
  readonly media_type: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly origin: string;
  readonly caption: string | null;
  readonly recipe: string | null;
  readonly name: string | null;
  readonly alt: string | null;
  readonly favourite: number | null;
}

const columns =
  'id, hash, media_type, width, height, bytes, origin, caption, recipe, name, alt, favourite';

/** What every row of a file says alike. */
export type PictureFileFacts = Pick<Picture, 'mediaType' | 'width' | 'height' | 'bytes'>;

/** Queries on pictures' rows. Their bytes are files (pictures/store.ts). */
export interface PictureTable {
  insert(picture: Picture, createdAt: number): void;
  find(id: string): Picture | null;
  /** Changes what a person says of a picture; false where there is none of that id. */
  change(id: string, change: PictureChange): boolean;
  /** What is known of the file named `hash`, or null where no row refers to it. */
  file(hash: string): PictureFileFacts | null;
  /** The media type of the file named `hash`, or null where no row refers to it. */
  mediaType(hash: string): string | null;
  /** Drops rows that no part and no draft shows and that are older than `before`; returns how many. */
  dropUnused(before: number, keys?: KeyRange): number;
  /** The highest key of a row; 0 where there is none. */
  lastKey(): number;
}

/** Keys of rows, both ends included. */
export interface KeyRange {
  readonly from: number;
  readonly to: number;
}
const allKeys: KeyRange = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** Prepares the queries on pictures. */
export function createPictureTable(database: StudioDatabase): PictureTable {
  const insert = database.prepare(
    `INSERT INTO pictures (${columns}, created_at) VALUES (${'?, '.repeat(12)}?)`,
  );
  const find = database.prepare<[string], PictureRow>(
    `SELECT ${columns} FROM pictures WHERE id = ?`,
  );
  const mediaType = database
    .prepare<[string], string>('SELECT media_type FROM pictures WHERE hash = ? LIMIT 1')
    .pluck();
  const file = database.prepare<[string], PictureRow>(
    'SELECT media_type, width, height, bytes FROM pictures WHERE hash = ? LIMIT 1',
  );
  const change = database.prepare(
    `UPDATE pictures SET alt = CASE WHEN @hasAlt THEN @alt ELSE alt END,
       favourite = coalesce(@favourite, favourite) WHERE id = @id`,
  );
  return {
    insert: (picture, createdAt) => void insert.run(...columnsOf(picture), createdAt),
    find(id) {
      const row = find.get(id);
      return row === undefined ? null : pictureFromRow(row);
    },
    change: (id, { alt, favourite }) =>
      change.run({
        id,
        hasAlt: alt === undefined ? 0 : 1,
        alt: alt === undefined || alt === '' ? null : alt,
        favourite: favourite === undefined ? null : Number(favourite),
      }).changes > 0,
    file(hash) {
      const row = file.get(hash);
      if (row === undefined) return null;
      const facts = { ...row, mediaType: row.media_type };
      const parsed = pictureSchema
        .pick({ mediaType: true, width: true, height: true, bytes: true })
        .safeParse(facts);
      return parsed.success ? parsed.data : null;
    },
    mediaType: (hash) => mediaType.get(hash) ?? null,
    ...createUnusedPictures(database),
  };
}

/** A picture's values in the order of `columns`. */
function columnsOf(picture: Picture): readonly (string | number | null)[] {
  const { id, hash, mediaType, width, height, bytes, origin, caption } = picture;
  const recipe = picture.recipe === null ? null : JSON.stringify(picture.recipe);
  const { name = null, alt = null } = picture;
  const favourite = picture.favourite === true ? 1 : 0;
  return [id, hash, mediaType, width, height, bytes, origin, caption, recipe, name, alt, favourite];
}

/** Queries on rows that nothing shows. */
function createUnusedPictures(
  database: StudioDatabase,
): Pick<PictureTable, 'dropUnused' | 'lastKey'> {
  const dropUnused = database.prepare(
    `DELETE FROM pictures WHERE created_at < ? AND key BETWEEN ? AND ?
     AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.picture_key = pictures.key)
     AND NOT EXISTS (SELECT 1 FROM settings
       WHERE name GLOB '${draftRowPrefix}*' AND instr(value, pictures.id) > 0)`,
  );
  const lastKey = database.prepare<[], number | null>('SELECT max(key) FROM pictures').pluck();
  return {
    dropUnused: (before, { from, to } = allKeys) => dropUnused.run(before, from, to).changes,
    lastKey: () => lastKey.get() ?? 0,
  };
}

/** Reads a row by the schema: what is on disk may have been written by anything. */
export function pictureFromRow(row: PictureRow): Picture {
  return pictureSchema.parse({
    id: row.id,
    hash: row.hash,
    mediaType: row.media_type,
    width: row.width,
    height: row.height,
    bytes: row.bytes,
    origin: row.origin,
    caption: row.caption,
    recipe: row.recipe === null ? null : pictureRecipeSchema.parse(JSON.parse(row.recipe)),
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.alt === null ? {} : { alt: row.alt }),
    ...(row.favourite === 1 ? { favourite: true } : {}),
  });
}
