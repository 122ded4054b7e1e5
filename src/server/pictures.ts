import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../base/whole-file.ts';
import { pictureLimits } from '../shared/domain/picture.ts';
import { ApiError } from './api-error.ts';

/** SHA-256 of a picture's bytes, lower-case hexadecimal: its name. */
export function pictureHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The bytes of a picture in a `data:` address.
 * @param param the field that it stands in
 * @throws ApiError 400: another address (nothing is fetched), no base64, too large
 */
export function readPictureUrl(url: string, param: string): Uint8Array {
  const fault = (message: string): ApiError =>
    new ApiError(400, message, { code: 'invalid_image', param });
  const match = /^data:image\/[a-z0-9.+-]+(?:;[a-z0-9.=+-]+)*;base64,/i.exec(url.slice(0, 200));
  if (match === null) {
    throw fault(
      'Nothing is fetched from anywhere: a picture is sent as "data:image/png;base64,..." itself.',
    );
  }
  const encoded = url.slice(match[0].length);
  if (!/^[A-Za-z0-9+/]+={0,2}\s*$/.test(encoded)) throw fault('This picture is not base64.');
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length > pictureLimits.maxBytes) throw fault('This picture is too large.');
  return bytes;
}

/** A picture as an address that holds it. Drawn pictures are PNG. */
export function pictureUrl(png: Uint8Array): string {
  return `data:image/png;base64,${base64(png)}`;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Pictures of requests as files, since the engine reads files. Each stays while some request needs it. */
export class HeldPictures {
  readonly #folder: string;
  readonly #users = new Map<string, number>();
  #line: Promise<unknown> = Promise.resolve();

  /** @param folder nobody else's; for its owner alone */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What a request holds, to be released once. */
  holder(): PictureHolder {
    return new PictureHolder(this);
  }

  fileOf(hash: string): string {
    return path.join(this.#folder, hash);
  }

  async add(hash: string, bytes: Uint8Array): Promise<void> {
    const users = this.#users.get(hash) ?? 0;
    this.#users.set(hash, users + 1);
    await this.#inLine(async () => {
      if (users > 0) return;
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeWholeFile(this.fileOf(hash), bytes);
    });
  }

  async drop(hash: string): Promise<void> {
    const users = (this.#users.get(hash) ?? 1) - 1;
    if (users > 0) return void this.#users.set(hash, users);
    this.#users.delete(hash);
    await this.#inLine(async () => {
      if (!this.#users.has(hash)) await rm(this.fileOf(hash), { force: true });
    });
  }

  /** Removes the folder. */
  async clear(): Promise<void> {
    await this.#inLine(() => rm(this.#folder, { recursive: true, force: true }));
  }

  /** Writing and removing one name must not overtake each other. */
  #inLine(work: () => Promise<void>): Promise<void> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => undefined);
    return done;
  }
}

/** The pictures of one request. */
export class PictureHolder {
  readonly #pictures: HeldPictures;
  readonly #held: string[] = [];

  constructor(pictures: HeldPictures) {
    this.#pictures = pictures;
  }

  /** Path of a file with these bytes, named by its content. */
  async hold(bytes: Uint8Array): Promise<string> {
    const hash = pictureHash(bytes);
    this.#held.push(hash);
    await this.#pictures.add(hash, bytes);
    return this.#pictures.fileOf(hash);
  }

  async release(): Promise<void> {
    for (const hash of this.#held.splice(0)) await this.#pictures.drop(hash);
  }
}

/** Bytes of drawings that are remembered. */
const mostRemembered = 64 * 1024 * 1024;

/**
 * Drawings by their hash, the latest of them: most clients send back the words of a reply without its pictures, and the
 * model should still see what it drew.
 */
export class RememberedDrawings {
  readonly #drawings = new Map<string, Uint8Array>();
  #bytes = 0;

  add(hash: string, png: Uint8Array): void {
    this.#forget(hash);
    this.#drawings.set(hash, png);
    this.#bytes += png.length;
    for (const oldest of this.#drawings.keys()) {
      if (this.#bytes <= mostRemembered) return;
      this.#forget(oldest);
    }
  }

  find(hash: string): Uint8Array | null {
    return this.#drawings.get(hash) ?? null;
  }

  #forget(hash: string): void {
    this.#bytes -= this.#drawings.get(hash)?.length ?? 0;
    this.#drawings.delete(hash);
  }
}
