/**
 * Files that are there whole or not at all: written under another name, forced to the disk, renamed. What stood under
 * the name before stays until then, through a crash or a loss of power.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  createWriteStream,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes a file whole. On an error nothing is left but what was there before. */
export async function writeWholeFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** Writes what a stream gives as a file, whole; for what is too large to be held. */
export async function writeWholeStream(file: string, content: Readable): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await pipeline(content, createWriteStream(temporary, { flags: 'wx', flush: true }));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** {@link writeWholeFile} for code that does not wait. */
export function writeWholeFileSync(file: string, content: string | Uint8Array): void {
  replaceFileSync(file, (temporary) => writeFileSync(temporary, content, { flag: 'wx' }));
}

/** Writes a value as JSON, whole. */
export function writeJsonFileSync(file: string, value: unknown): void {
  writeWholeFileSync(file, jsonText(value));
}

/** A value as our JSON files have it: indented, with a line's end at the end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Puts what `write` makes under a temporary name in a file's place.
 * @param write makes the file it is given, and closes it
 */
export function replaceFileSync(file: string, write: (temporary: string) => void): void {
  const temporary = temporaryName(file);
  try {
    write(temporary);
    syncSync(temporary, 'r+');
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolderSync(path.dirname(file));
}

/**
 * Puts a folder whose files are whole in a folder's place. What stood there is put aside first, since no system
 * replaces a folder in one step, and comes back where the second step fails.
 */
export function replaceFolderSync(folder: string, made: string): void {
  const aside = temporaryName(folder);
  const hadBefore = renameIfThere(folder, aside);
  try {
    renameSync(made, folder);
  } catch (error) {
    if (hadBefore) renameSync(aside, folder);
    throw error;
  }
  syncFolderSync(path.dirname(folder));
  rmSync(aside, { recursive: true, force: true });
}

/** A name in the same folder: a rename across disks is a copy, which can be cut short. */
function temporaryName(file: string): string {
  return `${file}.${randomUUID()}.part`;
}

function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Makes a rename itself durable, where the system has such a thing: Windows and some network shares do not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}

function syncFolderSync(folder: string): void {
  if (process.platform === 'win32') return;
  try {
    syncSync(folder, 'r');
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}

/** What systems answer that cannot force a folder to the disk, or do not let it be read. */
function isUnsupported(error: unknown): boolean {
  const codes = ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EISDIR', 'EACCES', 'EPERM'];
  return codes.includes(codeOf(error));
}

/** The code of a system's error, e.g. `ENOENT`; empty where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Windows forces to the disk only what is open for writing. */
function syncSync(place: string, flags: 'r' | 'r+'): void {
  const descriptor = openSync(place, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
