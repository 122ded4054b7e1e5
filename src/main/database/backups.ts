import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { replaceFileSync, writeJsonFileSync } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { CopyFacts } from '../../shared/contracts/keeper-protocol.ts';
import { hashOf, inspectCopy } from './copy-facts.ts';
import type { StudioDatabase } from './connection.ts';
import { toStorageError } from './sqlite-errors.ts';
import { readJson } from '../../base/json-file.ts';

/**
 * Why a copy was made: before a step of the database's form, at the first start of another version of the app, at a
 * clean end, once a day, after deleting for good.
 */
export const backupReasons = ['migration', 'version', 'close', 'day', 'erasure'] as const;
export type BackupReason = (typeof backupReasons)[number];

/** What stands beside each copy, written last: a copy without it is not whole. */
const manifestSchema = z.object({
  file: z.string().regex(/^textbind-[\w.-]+\.db$/),
  reason: z.enum(backupReasons),
  /** Milliseconds since the epoch. */
  madeAt: z.number().int(),
  form: z.number().int().positive(),
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  conversations: z.number().int().nonnegative(),
  turns: z.number().int().nonnegative(),
});
export type Backup = z.infer<typeof manifestSchema>;

/** Copies that are kept: the newest, the last of each of so many days, and so many made before a change of form. */
export const keptBackups = { newest: 5, days: 7, migrations: 5 } as const;
/** All copies together, unless two alone are larger. Bytes. */
const mostBytes = 2 * 1024 ** 3;
const dayMs = 24 * 60 * 60 * 1000;
/** Pages copied between two turns of the event loop. */
const pagesAStep = 512;

/** The copies of one database, each checked when it was made. */
export interface Backups {
  /** Newest first; those without a manifest, or whose file is gone, are left out. */
  list(): readonly Backup[];
  /** Copies the open database without holding the event loop; null where there is too little room on the disk, or no time. */
  make(database: StudioDatabase, reason: BackupReason): Promise<Backup | null>;
  /** The same at once, for a step that must not begin before the copy is there. */
  makeNow(database: StudioDatabase, reason: BackupReason): Backup;
  /**
   * Puts a copy that still is what was written to `target`.
   * @throws {StudioError} `storage`: it is damaged itself
   */
  restoreTo(backup: Backup, target: string): void;
  /** Deletes every copy. */
  erase(): void;
}

/**
 * Looks through a copy elsewhere; null where it cannot, and it is looked through here. `late`: it took too long there, so
 * that here it would hold everything up, and the copy is dropped.
 */
export type InspectCopy = (file: string) => Promise<CopyFacts | 'late' | null>;

export interface BackupsOptions {
  readonly now?: () => number;
  readonly inspect?: InspectCopy;
}

/** Opens the copies in `folder`, which need not exist. */
export function openBackups(folder: string, log: Logger, options: BackupsOptions = {}): Backups {
  const { now = Date.now, inspect = () => Promise.resolve(null) } = options;
  const list = (): Backup[] => listBackups(folder);
  const seal = (file: string, reason: BackupReason, facts: CopyFacts): Backup => {
    const backup = sealCopy(folder, file, { reason, madeAt: now() }, facts);
    log.info('database copied', { file, reason, bytes: backup.bytes, turns: backup.turns });
    rotate(folder, list());
    return backup;
  };
  return {
    list,
    async make(database, reason) {
      const name = freeName(folder, now());
      if (!hasRoom(folder, database)) {
        log.warn('no room to copy the database', { folder });
        return null;
      }
      try {
        const file = path.join(folder, name);
        await database.backup(file, { progress: () => pagesAStep });
        const facts = (await inspect(file)) ?? inspectCopy(file);
        if (facts !== 'late') return seal(name, reason, facts);
        log.warn('copy dropped: to look through it took too long', { file: name });
        dropCopy(folder, name);
        return null;
      } catch (error) {
        dropCopy(folder, name);
        throw toStorageError(error);
      }
    },
    makeNow(database, reason) {
      const name = freeName(folder, now());
      try {
        const file = path.join(folder, name);
        database.prepare('VACUUM INTO ?').run(file);
        return seal(name, reason, inspectCopy(file));
      } catch (error) {
        dropCopy(folder, name);
        throw toStorageError(error);
      }
    },
    restoreTo(backup, target) {
      const file = path.join(folder, backup.file);
      const whole = existsSync(file) && hashOf(file) === backup.sha256;
      if (!whole) {
        throw new StudioError('storage', `The copy ${file} is damaged or gone. Take another.`);
      }
      replaceFileSync(target, (temporary) => copyFileSync(file, temporary));
    },
    erase() {
      if (!existsSync(folder)) return;
      for (const name of readdirSync(folder).filter(isOurs)) rmSync(path.join(folder, name));
    },
  };
}

/** Of a copy made at this moment (ms); the folder is made. */
function freeName(folder: string, at: number): string {
  mkdirSync(folder, { recursive: true });
  const stamp = new Date(at).toISOString().replaceAll(/[:.]/g, '-');
  let name = `textbind-${stamp}.db`;
  for (let more = 2; existsSync(path.join(folder, name)); more += 1) {
    name = `textbind-${stamp}-${more}.db`;
  }
  return name;
}

/** Whether any copy, with or without its manifest, lies in the folder. */
export function hasCopies(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.db'));
}

function isOurs(name: string): boolean {
  return /^textbind-.*\.(db|json|db-journal|db-wal|db-shm)$/.test(name);
}

/** Writes the manifest of a copy that is whole. Throws where it is not. */
function sealCopy(
  folder: string,
  file: string,
  { reason, madeAt }: Pick<Backup, 'reason' | 'madeAt'>,
  { faults, ...facts }: CopyFacts,
): Backup {
  if (faults.length > 0) {
    throw new StudioError('storage', 'The database is damaged: a copy of it failed its check.', {
      cause: faults.join('; '),
    });
  }
  const backup: Backup = { file, reason, madeAt, ...facts };
  writeJsonFileSync(`${path.join(folder, file)}.json`, backup);
  return backup;
}

function listBackups(folder: string): Backup[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.db.json'))
    .flatMap((name) => {
      const manifest = readManifest(path.join(folder, name));
      return manifest !== null && existsSync(path.join(folder, manifest.file)) ? [manifest] : [];
    })
    .sort((a, b) => b.madeAt - a.madeAt || (a.file < b.file ? 1 : -1));
}

function readManifest(file: string): Backup | null {
  try {
    return manifestSchema.parse(readJson(file, 'storage'));
  } catch {
    return null;
  }
}

/** Deletes what no rule keeps, oldest first while all are too large together; two are always kept. */
function rotate(folder: string, backups: readonly Backup[]): void {
  const kept = new Set(backups.slice(0, keptBackups.newest));
  const days = new Map<number, Backup>();
  for (const backup of backups) {
    const day = Math.floor(backup.madeAt / dayMs);
    if (!days.has(day)) days.set(day, backup);
  }
  for (const backup of [...days.values()].slice(0, keptBackups.days)) kept.add(backup);
  const steps = backups.filter(({ reason }) => reason === 'migration' || reason === 'version');
  for (const backup of steps.slice(0, keptBackups.migrations)) kept.add(backup);
  let bytes = 0;
  for (const [index, backup] of backups.entries()) {
    if (kept.has(backup)) bytes += backup.bytes;
    if (!kept.has(backup) || (index >= 2 && bytes > mostBytes)) dropCopy(folder, backup.file);
  }
}

function dropCopy(folder: string, name: string): void {
  for (const end of ['.json', '', '-journal', '-wal', '-shm']) {
    rmSync(path.join(folder, name + end), { force: true });
  }
}

/** Twice the database must be free: a copy must not be what fills the disk. */
function hasRoom(folder: string, database: StudioDatabase): boolean {
  const pages = Number(database.pragma('page_count', { simple: true }));
  const pageSize = Number(database.pragma('page_size', { simple: true }));
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > 2 * pages * pageSize;
}

/** Moves a database with what belongs to it out of the way, beside where it was. Returns where it is now. */
export function putAside(file: string, now: number): string | null {
  if (!existsSync(file) && !existsSync(`${file}-wal`)) return null;
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  const { dir, name, ext } = path.parse(file);
  let aside = path.join(dir, `${name}-damaged-${stamp}${ext}`);
  for (let more = 2; existsSync(aside); more += 1)
    aside = path.join(dir, `${name}-damaged-${stamp}-${more}${ext}`);
  for (const end of ['-wal', '-shm', '']) {
    if (existsSync(file + end)) renameSync(file + end, aside + end);
  }
  return aside;
}
