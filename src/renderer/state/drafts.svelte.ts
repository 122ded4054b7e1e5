/* eslint-disable svelte/prefer-svelte-reactivity -- reactive maps are replaced whole, the others are no state of the page */
import {
  draftKeySchema,
  keptDraftSchema,
  newConversationKey,
  type DraftItem,
  type KeptDraft,
} from '../../shared/domain/draft.ts';
import { altOf, pictureLimits, type Picture } from '../../shared/domain/picture.ts';
import type { Api } from '../api.ts';
import { inUnit } from '../numbers.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** A picture that is being composed: on its way to main, stored, or refused. */
export type Upload =
  | { readonly state: 'storing'; readonly name: string; readonly url: string | null }
  | { readonly state: 'stored'; readonly name: string; readonly picture: Picture }
  | { readonly state: 'failed'; readonly name: string; readonly message: string };

export type { DraftItem };
export { newConversationKey };

/** Words that are being typed are kept this long after the last letter. Milliseconds. */
const keepAfterMs = 300;

/** Where drafts lay before main kept them: `localStorage`. */
export type OldDrafts = Pick<Storage, 'getItem' | 'removeItem' | 'key' | 'length'>;
const oldPrefix = 'textbind-draft:';

/** Drafts, one a conversation, and the pictures in them. */
export class DraftsStore {
  /** Every picture composed in this window, by upload id. */
  uploads = $state.raw<ReadonlyMap<string, Upload>>(new Map());
  /** Counts how often drafts came from main: at the start. */
  loaded = $state(0);
  readonly #api: Api;
  readonly #old: OldDrafts | null;
  readonly #drafts = new Map<string, readonly DraftItem[]>();
  /** Drafts that main does not have as they are yet. */
  readonly #unkept = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(api: Api, old: OldDrafts | null = windowStorage()) {
    this.#api = api;
    this.#old = old;
    api.on('conversations.erased', ({ conversationIds }) => {
      for (const id of conversationIds) this.#forget(id);
    });
    globalThis.addEventListener('pagehide', () => this.flush());
  }

  /** Asks main for what it keeps; what was begun here meanwhile stays. */
  async load(): Promise<void> {
    try {
      const { drafts } = await this.#api.request('drafts.list', null);
      for (const { key, draft } of drafts) this.#take(key, draft);
      await this.#moveOld(new Set(drafts.map(({ key }) => key)));
      this.loaded += 1;
    } catch {
      // Where main cannot be asked there is nothing to be shown; what is written now lives in memory.
    }
  }

  /** Main has everything as it is. */
  flush(): void {
    for (const key of [...this.#unkept.keys()]) this.#keep(key);
  }

  /** The draft of a conversation; pictures that were never stored are left out after a restart. */
  get(key: string): readonly DraftItem[] {
    return this.#drafts.get(key) ?? [];
  }

  set(key: string, items: readonly DraftItem[]): void {
    if (items.length === 0) this.#drafts.delete(key);
    else this.#drafts.set(key, items);
    this.#keepSoon(key);
  }

  clear(key: string): void {
    this.set(key, []);
    this.#keep(key);
  }

  /** Sends a file to main; its place in the draft is the caller's. Returns the upload id at once. */
  add(file: File): string {
    const uploadId = crypto.randomUUID();
    const { name } = file;
    const fault = faultOf(file);
    if (fault !== null) {
      this.#setUpload(uploadId, { state: 'failed', name, message: fault });
      return uploadId;
    }
    this.#setUpload(uploadId, { state: 'storing', name, url: objectUrl(file) });
    void this.#store(uploadId, file);
    return uploadId;
  }

  /** Says that a picture is on its way: a file is dragged over the window, or chosen. Nothing depends on it. */
  expect(): void {
    this.#api.request('pictures.expect', null).catch(() => undefined);
  }

  /** Takes a stored picture into a draft, as one that a message has already. */
  adopt(picture: Picture): string {
    const uploadId = crypto.randomUUID();
    this.#setUpload(uploadId, {
      state: 'stored',
      name: altOf(picture) ?? t.composer.picture,
      picture,
    });
    return uploadId;
  }

  /** Says whether any picture of a draft is still on its way, or was refused. */
  stateOf(items: readonly DraftItem[]): 'ready' | 'storing' | 'failed' {
    const states = items.map((item) =>
      item.kind === 'picture' ? (this.uploads.get(item.uploadId)?.state ?? 'failed') : 'stored',
    );
    if (states.includes('failed')) return 'failed';
    return states.includes('storing') ? 'storing' : 'ready';
  }

  async #store(uploadId: string, file: File): Promise<void> {
    const { name } = file;
    const before = this.uploads.get(uploadId);
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const picture = await this.#api.request('pictures.add', { bytes, name: name.slice(0, 500) });
      this.#setUpload(uploadId, { state: 'stored', name, picture });
    } catch (error) {
      this.#setUpload(uploadId, { state: 'failed', name, message: sentenceOf(error) });
    } finally {
      if (before?.state === 'storing' && before.url !== null) URL.revokeObjectURL(before.url);
    }
    // A draft that was written while this was on its way could not name the picture yet.
    for (const [key, items] of this.#drafts) {
      if (items.some((item) => item.kind === 'picture' && item.uploadId === uploadId)) {
        this.#keepSoon(key);
      }
    }
  }

  #setUpload(uploadId: string, upload: Upload): void {
    this.uploads = new Map(this.uploads).set(uploadId, upload);
  }

  #take(key: string, { items, pictures }: KeptDraft): void {
    if (this.#drafts.has(key)) return;
    for (const [uploadId, picture] of Object.entries(pictures)) {
      this.#setUpload(uploadId, {
        state: 'stored',
        name: altOf(picture) ?? t.composer.picture,
        picture,
      });
    }
    const known = items.filter(
      (item) => item.kind === 'text' || pictures[item.uploadId] !== undefined,
    );
    if (known.length > 0) this.#drafts.set(key, known);
  }

  /** Hands over what lies in the window's own store, once. */
  async #moveOld(kept: ReadonlySet<string>): Promise<void> {
    for (const name of storedNames(this.#old)) {
      const key = draftKeySchema.safeParse(name.slice(oldPrefix.length));
      const draft = keptDraftSchema.safeParse(parseJson(this.#old?.getItem(name) ?? ''));
      if (key.success && draft.success && !kept.has(key.data)) {
        this.#take(key.data, draft.data);
        await this.#api.request('drafts.keep', { key: key.data, draft: draft.data });
      }
      this.#old?.removeItem(name);
    }
    await this.#api.request('drafts.moved', null);
  }

  #forget(key: string): void {
    this.#drafts.delete(key);
    clearTimeout(this.#unkept.get(key));
    this.#unkept.delete(key);
  }

  #keepSoon(key: string): void {
    clearTimeout(this.#unkept.get(key));
    this.#unkept.set(
      key,
      setTimeout(() => this.#keep(key), keepAfterMs),
    );
  }

  #keep(key: string): void {
    clearTimeout(this.#unkept.get(key));
    this.#unkept.delete(key);
    const items = this.#drafts.get(key);
    const draft =
      items === undefined ? null : { items: [...items], pictures: this.#storedIn(items) };
    // Where the disk refuses it, the draft lives on in memory, which is what the person sees.
    this.#api.request('drafts.keep', { key, draft }).catch(() => undefined);
  }

  #storedIn(items: readonly DraftItem[]): Record<string, Picture> {
    const pictures: Record<string, Picture> = {};
    for (const item of items) {
      if (item.kind !== 'picture') continue;
      const upload = this.uploads.get(item.uploadId);
      if (upload?.state === 'stored') pictures[item.uploadId] = upload.picture;
    }
    return pictures;
  }
}

/** Why a file cannot be a picture, as far as that shows without decoding it; main has the last word. */
export function faultOf(file: Pick<File, 'name' | 'size' | 'type'>): string | null {
  const megabytes = (bytes: number): string =>
    inUnit(Math.ceil(bytes / (1024 * 1024)), 'megabyte', 0);
  if (file.size === 0) return t.composer.fileIsEmpty(file.name);
  if (file.size > pictureLimits.maxBytes) {
    return t.composer.fileIsTooLarge(
      file.name,
      megabytes(file.size),
      megabytes(pictureLimits.maxBytes),
    );
  }
  if (file.type !== '' && !file.type.startsWith('image/')) {
    return t.composer.fileIsNoPicture(file.name);
  }
  return null;
}

/** Names of the drafts in the window's own store. */
function storedNames(storage: OldDrafts | null): string[] {
  const names = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index));
  return names
    .filter((name) => typeof name === 'string')
    .filter((name) => name.startsWith(oldPrefix));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function objectUrl(file: File): string | null {
  return typeof URL.createObjectURL === 'function' ? URL.createObjectURL(file) : null;
}

function windowStorage(): OldDrafts | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
