import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { reasonOf } from '../shared/errors.ts';

/** The data folder as the app uses it. */
export interface DataFolder {
  /** Its real path: through a link it is the same folder, and must have the same lock. */
  readonly folder: string;
  /** Why it cannot be used and what to do, where it cannot. */
  readonly fault: string | null;
}

/** Makes the folder where it is missing, for its owner alone, and tries to write into it. */
export function prepareDataFolder(wanted: string): DataFolder {
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
    const folder = realpathSync(wanted);
    makePrivate(folder);
    tryToWrite(folder);
    return { folder, fault: null };
  } catch (error) {
    return { folder: wanted, fault: describeFault(wanted, error) };
  }
}

/** A folder for what Chromium must write while a window says why there is no data folder; gone with the process. */
export function makeSubstituteFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-studio-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Conversations lie in it; on Windows a person's folder is theirs alone already. */
function makePrivate(folder: string): void {
  if (process.platform === 'win32') return;
  try {
    chmodSync(folder, 0o700);
  } catch {
    // Another's folder, or a file system without owners: whether it can be written is found out next.
  }
}

function tryToWrite(folder: string): void {
  const file = path.join(folder, `.write-test-${process.pid}`);
  closeSync(openSync(file, 'w', 0o600));
  rmSync(file);
}

function describeFault(folder: string, error: unknown): string {
  const code = error instanceof Error ? String(Reflect.get(error, 'code')) : '';
  const elsewhere = 'or start with another folder (--user-data-dir=DIR). Nothing was changed.';
  switch (code) {
    case 'EROFS':
      return `The data folder ${folder} is on a file system that can only be read. Make it writable, ${elsewhere}`;
    case 'EACCES':
    case 'EPERM':
      return `You may not write into the data folder ${folder}. Give yourself leave (its owner and permissions), ${elsewhere}`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `There is no room left where the data folder ${folder} is. Make room, ${elsewhere}`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `The data folder ${folder} is not a folder. Move what is there, ${elsewhere}`;
    default: {
      const reason = reasonOf(error);
      return `The data folder ${folder} cannot be used (${reason}). Mend that, ${elsewhere}`;
    }
  }
}
