/* eslint-disable svelte/prefer-svelte-reactivity -- reactive maps are replaced whole, the others are no state of the page */
import { z } from 'zod';
import { altOf, pictureLimits, pictureSchema, type Picture } from '../../shared/domain/picture.ts';
import { sentenceOf, type Api } from '../api.ts';

/** A picture that is being composed: on its way to main, stored, or refused. */
export type Upload =
  | { readonly state: 'storing'; readonly name: string; readonly url: string | null }
  | { readonly state: 'stored'; readonly name: string; readonly picture: Picture }
  | { readonly state: 'failed'; readonly name: string; readonly message: string };

/** A stretch of a draft, in order. `uploadId` names an upload of the store. */
export const draftItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('picture'), uploadId: z.string() }),
]);
export type DraftItem = z.infer<typeof draftItemSchema>;

const storedDraftSchema = z.object({
  items: z.array(draftItemSchema),
  pictures: z.record(z.string(), pictureSchema),
});

/** Key of the draft of a conversation that does not exist yet. */
export const newConversationKey = 'new';
const storagePrefix = 'textbind-draft:';

/** Where drafts outlive the window. `localStorage` in the app. */
export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/** Drafts, one a conversation, and the pictures in them. */
export class DraftsStore {
  /** Every picture composed in this window, by upload id. */
  uploads = $state.raw<ReadonlyMap<string, Upload>>(new Map());
  readonly #api: Api;
  readonly #storage: DraftStorage | null;
  readonly #drafts = new Map<string, readonly DraftItem[]>();

  constructor(api: Api, storage: DraftStorage | null = windowStorage()) {
    this.#api = api;
    this.#storage = storage;
    api.on('conversations.erased', ({ conversationIds }) => {
      for (const id of conversationIds) this.#forget(id);
    });
  }

  /** Forgets the drafts of conversations that are gone for good. */
  async prune(): Promise<void> {
    const conversationIds = storedKeys(this.#storage).filter((key) => key !== newConversationKey);
    if (conversationIds.length === 0) return;
    try {
      const known = await this.#api.request('conversations.known', { conversationIds });
      const kept = new Set(known.conversationIds);
      for (const id of conversationIds) if (!kept.has(id)) this.#forget(id);
    } catch {
      // Where it cannot be asked, a draft too many is kept.
    }
  }

  #forget(key: string): void {
    this.#drafts.delete(key);
    this.#storage?.removeItem(storagePrefix + key);
  }

  /** The draft kept for a conversation; pictures that were never stored are left out after a restart. */
  get(key: string): readonly DraftItem[] {
    return this.#drafts.get(key) ?? this.#read(key);
  }

  set(key: string, items: readonly DraftItem[]): void {
    this.#drafts.set(key, items);
    if (items.length === 0) this.#storage?.removeItem(storagePrefix + key);
    else this.#write(key, items);
  }

  clear(key: string): void {
    this.set(key, []);
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

  /** Takes a stored picture into a draft, as one that a message has already. */
  adopt(picture: Picture): string {
    const uploadId = crypto.randomUUID();
    this.#setUpload(uploadId, { state: 'stored', name: altOf(picture) ?? 'picture', picture });
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
        this.#write(key, items);
      }
    }
  }

  #setUpload(uploadId: string, upload: Upload): void {
    this.uploads = new Map(this.uploads).set(uploadId, upload);
  }

  #write(key: string, items: readonly DraftItem[]): void {
    const pictures: Record<string, Picture> = {};
    for (const item of items) {
      if (item.kind !== 'picture') continue;
      const upload = this.uploads.get(item.uploadId);
      if (upload?.state === 'stored') pictures[item.uploadId] = upload.picture;
    }
    try {
      this.#storage?.setItem(storagePrefix + key, JSON.stringify({ items, pictures }));
    } catch {
      // Storage is full or forbidden: the draft lives on in memory, which is what the person sees.
    }
  }

  #read(key: string): readonly DraftItem[] {
    const text = this.#storage?.getItem(storagePrefix + key) ?? null;
    if (text === null) return [];
    const stored = storedDraftSchema.safeParse(parseJson(text));
    if (!stored.success) return [];
    const { items, pictures } = stored.data;
    for (const [uploadId, picture] of Object.entries(pictures)) {
      this.#setUpload(uploadId, { state: 'stored', name: altOf(picture) ?? 'picture', picture });
    }
    return items.filter((item) => item.kind === 'text' || pictures[item.uploadId] !== undefined);
  }
}

/** Why a file cannot be a picture, as far as that shows without decoding it; main has the last word. */
export function faultOf(file: Pick<File, 'name' | 'size' | 'type'>): string | null {
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / (1024 * 1024))} MB`;
  if (file.size === 0) return `“${file.name}” is empty.`;
  if (file.size > pictureLimits.maxBytes) {
    return `“${file.name}” has ${megabytes(file.size)}; pictures may have up to ${megabytes(pictureLimits.maxBytes)}.`;
  }
  if (file.type !== '' && !file.type.startsWith('image/')) {
    return `“${file.name}” is not a picture. PNG, JPEG, WebP, GIF and AVIF work.`;
  }
  return null;
}

/** Keys of the drafts that are stored. */
function storedKeys(storage: DraftStorage | null): string[] {
  const names = Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index));
  return names
    .filter((name) => typeof name === 'string')
    .filter((name) => name.startsWith(storagePrefix))
    .map((name) => name.slice(storagePrefix.length));
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

function windowStorage(): DraftStorage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
