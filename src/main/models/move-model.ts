/**
 * A model's files on their way to another drive: copied, compared byte by byte with what they were copied from, named
 * in textbind.json, and only then deleted where they were. A journal beside textbind.json says how far that is, so that
 * an app that is killed in the middle goes on, or takes back, at its next start.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { codeOf, writeJsonFileSync } from '../../base/whole-file.ts';
import { movingName, ownEntries, setHome } from '../../library/model-home.ts';
import { repointModel } from '../../library/model-places.ts';
import { addPartRoot, isPartFolder, partFileName } from '../../library/parts.ts';
import { StudioError } from '../../shared/errors.ts';
import { copyChecked } from './copy-checked.ts';

/** What a person finds on the drive. */
const drivesFolder = 'TextBind Studio';

const journalSchema = z.object({
  /** `copying`: what is there is taken back. `copied`: all of it is there and right, it is gone on with. */
  state: z.enum(['copying', 'copied']),
  items: z.array(z.object({ from: z.string(), to: z.string() })),
  /** Folders of the models whose textbind.json names what is moved. */
  users: z.array(z.string()),
  /** The folder of the model's own files elsewhere, and that of parts; null for the app's own. */
  home: z.string().nullable(),
  partRoot: z.string().nullable(),
});
type Journal = z.infer<typeof journalSchema>;

export interface MovePlan extends Omit<Journal, 'state'> {
  readonly model: string;
  readonly bytes: number;
}

export interface MoveOptions {
  /** The app's folder of parts. */
  readonly parts: string;
  readonly signal: AbortSignal;
  /** Bytes that were copied and compared. */
  readonly onBytes: (bytes: number) => void;
  /** textbind.json names the new places; what has the models open lets go of the old ones. */
  readonly onSwitched: (models: readonly string[]) => Promise<void>;
}

const journalOf = (model: string): string => path.join(model, movingName);

/** Where things would go. @param target a folder of the person's; null for the app's own folders */
export function placesAt(model: string, target: string | null) {
  if (target === null) return { home: null, partRoot: null };
  const root = path.join(path.resolve(target), drivesFolder);
  return {
    home: path.join(root, 'models', path.basename(model)),
    partRoot: path.join(root, 'parts'),
  };
}

/** @returns what is moved: a model's own files, and some parts */
export function itemsOf(
  model: string,
  parts: readonly string[],
  { home, partRoot }: Pick<Journal, 'home' | 'partRoot'>,
  ownParts: string,
): Journal['items'] {
  const into = (places: readonly string[], folder: string) =>
    places.map((from) => ({ from, to: path.join(folder, path.basename(from)) }));
  const items = [...into(ownEntries(model), home ?? model), ...into(parts, partRoot ?? ownParts)];
  return items.filter(({ from, to }) => from !== to);
}

/**
 * Moves a model. Where it fails or is stopped before all is copied, nothing has changed.
 * @throws {StudioError} `storage` for a disk that is full or away, or a copy that is not what was copied; the signal's
 * reason
 */
export async function moveModel(plan: MovePlan, options: MoveOptions): Promise<void> {
  const { model, items, users, home, partRoot } = plan;
  const taken = items.find(({ to }) => existsSync(to));
  if (taken !== undefined) {
    throw new StudioError('storage', `${taken.to} is there already; choose another folder.`);
  }
  refuseHalfMoved(model);
  const journal: Journal = { state: 'copying', items, users, home, partRoot };
  writeJsonFileSync(journalOf(model), journal);
  try {
    await copyAll(items, options);
    writeJsonFileSync(journalOf(model), { ...journal, state: 'copied' });
  } catch (error) {
    takeBack(model, journal);
    options.signal.throwIfAborted();
    throw meaningOf(error);
  }
  switchOver(model, journal, options.parts);
  await options.onSwitched(users);
  deleteOld(model, journal);
}

/**
 * Ends what was under way when the app was closed or killed. A drive that is away now may be there at the next start:
 * then it is left as it is.
 * @returns the models whose textbind.json was changed
 */
export function settleMove(model: string, parts: string): readonly string[] {
  if (!existsSync(journalOf(model))) return [];
  const journal = readJsonFile(journalOf(model), journalSchema, 'storage');
  if (journal.state === 'copying') {
    takeBack(model, journal);
    return [];
  }
  if (!journal.items.every(({ to }) => existsSync(to))) return [];
  switchOver(model, journal, parts);
  deleteOld(model, journal);
  return journal.users;
}

/** Forgets a move that was cut short, with what of it can be reached. */
export function abandonMove(model: string): void {
  if (!existsSync(journalOf(model))) return;
  const { items } = readJsonFile(journalOf(model), journalSchema, 'storage');
  for (const { to } of items) {
    rmSync(makingOf(to), { recursive: true, force: true });
    rmSync(to, { recursive: true, force: true });
    removeEmpty(path.dirname(to));
  }
}

/** All of it is on a drive that is away: another copy would be one too many. */
function refuseHalfMoved(model: string): void {
  if (!existsSync(journalOf(model))) return;
  const { state, items } = readJsonFile(journalOf(model), journalSchema, 'storage');
  if (state === 'copying') return;
  const where = items[0]?.to ?? 'another drive';
  throw new StudioError('busy', `It is on its way to ${where} already. Start the app with that drive.`);
}

/** Models that were on their way. */
export function movingModels(models: string): string[] {
  if (!existsSync(models)) return [];
  const folders = readdirSync(models).map((name) => path.join(models, name));
  return folders.filter((folder) => existsSync(journalOf(folder)));
}

/** Where what is on its way is, and where it goes; nowhere for a model that is not. */
export function placesOfMove(model: string): string[] {
  if (!existsSync(journalOf(model))) return [];
  const { items } = readJsonFile(journalOf(model), journalSchema, 'storage');
  return items.flatMap(({ from, to }) => [from, to]);
}

async function copyAll(items: Journal['items'], options: MoveOptions): Promise<void> {
  let before = 0;
  for (const { from, to } of items) {
    const onBytes = (bytes: number): void => options.onBytes(before + bytes);
    await mkdir(path.dirname(to), { recursive: true });
    // Under another name until it is whole: a part that is half there must be taken for none.
    const made = makingOf(to);
    await rm(made, { recursive: true, force: true });
    before += await copyChecked(from, made, { signal: options.signal, onBytes });
    await rename(made, to);
    await syncFolder(path.dirname(to));
  }
}

const makingOf = (to: string): string => `${to}.moving.part`;

/** Each step can be done again. */
function switchOver(model: string, { items, users, home, partRoot }: Journal, parts: string): void {
  if (partRoot !== null) addPartRoot(parts, partRoot);
  setHome(model, home);
  for (const user of users.filter((each) => existsSync(each))) repointModel(user, items);
}

/** What cannot be deleted now, on a system where open files stay, is tried again at the next start. */
function deleteOld(model: string, { items }: Journal): void {
  try {
    for (const { from } of items) {
      // First what makes it a part: what is cut short is then none.
      if (isPartFolder(from)) rmSync(path.join(from, partFileName), { force: true });
      rmSync(from, { recursive: true, force: true });
      removeEmpty(path.dirname(from));
    }
    // Graphs are built anew for the new places.
    rmSync(path.join(model, '.cache'), { recursive: true, force: true });
    rmSync(journalOf(model), { force: true });
  } catch (error) {
    if (!['EBUSY', 'EPERM', 'EACCES', 'ENOTEMPTY'].includes(codeOf(error))) throw error;
  }
}

function takeBack(model: string, { items }: Journal): void {
  for (const { to } of items) {
    // The drive may be away: then nothing of it is used, and the next start looks again.
    if (!existsSync(path.dirname(to)) && !existsSync(driveOf(to))) return;
    rmSync(makingOf(to), { recursive: true, force: true });
    rmSync(to, { recursive: true, force: true });
    removeEmpty(path.dirname(to));
  }
  rmSync(journalOf(model), { force: true });
}

/** The folder that the person chose. */
function driveOf(to: string): string {
  const at = to.lastIndexOf(`${path.sep}${drivesFolder}${path.sep}`);
  return at < 0 ? path.dirname(to) : to.slice(0, at);
}

/** Takes away folders of ours that hold nothing any more; never one that a person made. */
function removeEmpty(folder: string): void {
  if (!folder.includes(`${path.sep}${drivesFolder}`) || !existsSync(folder)) return;
  if (statSync(folder).isDirectory() && readdirSync(folder).length === 0) {
    rmSync(folder, { recursive: true, force: true });
    if (path.basename(folder) !== drivesFolder) removeEmpty(path.dirname(folder));
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function meaningOf(error: unknown): unknown {
  const code = codeOf(error);
  if (code === '') return error;
  const words: Readonly<Record<string, string>> = {
    ENOSPC: 'The disk became full. Nothing was changed; make room, or choose another folder.',
    EACCES: 'The app may not write there. Nothing was changed; choose another folder.',
    EROFS: 'Nothing can be written there. Nothing was changed; choose another folder.',
    EIO: 'The drive does not answer as it should. Nothing was changed.',
  };
  const reason = error instanceof Error ? error.message : code;
  return new StudioError('storage', words[code] ?? `It could not be moved: ${reason}`, {
    cause: error,
  });
}
