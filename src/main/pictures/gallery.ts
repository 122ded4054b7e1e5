import { randomUUID } from 'node:crypto';
import type { GalleryFilter, GalleryItem, GalleryPlace } from '../../shared/domain/gallery.ts';
import { StudioError } from '../../shared/errors.ts';
import type { GalleryTable } from '../database/gallery.ts';

/** Lists that are remembered: that of the window, and those that it has just left. */
const mostLists = 4;

export interface OpenedList {
  readonly listId: string;
  readonly total: number;
}

/**
 * The pictures of all conversations, as lists that stand still while one scrolls through them: what comes or goes
 * meanwhile shifts nothing, and a page of 50,000 is read as fast as one of fifty.
 */
export class Gallery {
  readonly #table: GalleryTable;
  readonly #lists = new Map<string, readonly number[]>();

  constructor(table: GalleryTable) {
    this.#table = table;
  }

  open(filter: GalleryFilter, typed: string): OpenedList {
    const keys = this.#table.keys(filter, typed);
    const listId = randomUUID();
    this.#lists.set(listId, keys);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > mostLists && oldest !== undefined) this.#lists.delete(oldest);
    return { listId, total: keys.length };
  }

  /**
   * Items of a list by their number in it; null for a picture that is gone since.
   * @throws {StudioError} `not-found` for a list that is not remembered any more
   */
  page(listId: string, offset: number, limit: number): (GalleryItem | null)[] {
    const keys = this.#lists.get(listId);
    if (keys === undefined) throw new StudioError('not-found', 'This list of pictures is old.');
    return keys.slice(offset, offset + limit).map((key) => this.#table.items([key])[0] ?? null);
  }

  /** @throws {StudioError} `not-found` for a picture that stands nowhere any more */
  place(pictureId: string): GalleryPlace {
    const place = this.#table.place(pictureId);
    if (place !== null) return place;
    throw new StudioError('not-found', 'This picture is no longer in any conversation.');
  }
}
