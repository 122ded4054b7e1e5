// `npm run bench -- kills`: what keeps conversations is killed in the middle of replies, a thousand times and more, without
// a window (the window's own kills: chaos, test/e2e/sigkill.e2e.ts). After each: the database is whole, and every word that
// was confirmed is in it.
//   --kills 1000   --of app|engine   --seed 1   --model DIR a real engine with that model; without, one of ours answers by a script
//   --longest-ms 900   the latest moment of a kill after the first question   --no-build   out/ as it is
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { buildStale } from '../../scripts/build/build.mjs';
import { pinnedNode } from '../../scripts/setup/npm-packages.mjs';
import { root } from '../../scripts/setup/steps.mjs';
import { seeded } from '../app/random.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { findModel } from '../worker-process.ts';
import { startKept, type Confirmed, type Kept } from './kept.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    of: { type: 'string', default: 'app' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string' },
    'longest-ms': { type: 'string', default: '900' },
    'no-build': { type: 'boolean', default: false },
  },
});
const random = seeded(Number(values.seed));
const longestMs = Number(values['longest-ms']);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What was confirmed over all starts, and what the kills met. */
interface Book {
  readonly confirmed: Confirmed;
  /** Replies that a kill cut. */
  cut: number;
  /** Kills before any model was open. */
  early: number;
}

/** One bundle: to read a hundred sources at each start would take longer than all else. */
function bundle(folder: string): string {
  const file = path.join(folder, 'keeper.js');
  const tool = path.join(root, 'node_modules/.bin/rolldown');
  const source = path.join(root, 'bench/kills/keeper.ts');
  const args = [source, '--platform', 'node', '--format', 'esm', '--file', file];
  const external = ['--external', 'better-sqlite3'];
  const { status, stderr } = spawnSync(pinnedNode(), [tool, ...args, ...external], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`rolldown: ${stderr}`);
  return file;
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly text: string;
}

/** Looks at a copy, so that what a crash left is still there for the next start to mend. */
function look(folder: string, confirmed: Confirmed): void {
  const copy = path.join(folder, 'look');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of ['textbind.db', 'textbind.db-wal'].filter((each) =>
    existsSync(path.join(folder, 'data', each)),
  ))
    cpSync(path.join(folder, 'data', name), path.join(copy, name));
  const database = new Database(path.join(copy, 'textbind.db'));
  const integrity = String(database.pragma('integrity_check', { simple: true }));
  if (integrity !== 'ok') throw new Error(`the database: ${integrity}`);
  const rows = database
    .prepare(
      `SELECT turns.id AS id, turns.status AS status,
              coalesce((SELECT group_concat(body, '') FROM (SELECT body FROM parts
                         WHERE turn_key = turns.key AND kind = 'text' ORDER BY position)), '') AS text
         FROM turns`,
    )
    .all() as Row[];
  const hashes = database.prepare('SELECT DISTINCT hash FROM pictures').pluck().all() as string[];
  database.close();
  lookAtTurns(new Map(rows.map((row) => [row.id, row])), confirmed);
  lookAtPictures(path.join(folder, 'data/pictures'), new Set(hashes), confirmed);
}

function lookAtTurns(
  found: ReadonlyMap<string, Row>,
  { turns, beginnings }: Pick<Confirmed, 'turns' | 'beginnings'>,
): void {
  const lost = (id: string, was: unknown): never => {
    const row = found.get(id);
    const is = row === undefined ? 'not there' : JSON.stringify(row);
    throw new Error(`LOST: turn ${id} was ${JSON.stringify(was)} and is ${is}`);
  };
  for (const [id, words] of turns) {
    const row = found.get(id);
    if (row?.text !== words.text || row.status !== words.status) lost(id, words);
  }
  for (const [id, text] of beginnings)
    if (text !== '' && found.get(id)?.text.startsWith(text) !== true) lost(id, text);
}

function lookAtPictures(
  folder: string,
  named: ReadonlySet<string>,
  { pictures }: Pick<Confirmed, 'pictures'>,
): void {
  for (const hash of pictures) {
    const bytes = readFileSync(path.join(folder, hash.slice(0, 2), hash));
    const is = createHash('sha256').update(bytes).digest('hex');
    if (is !== hash || !named.has(hash)) throw new Error(`LOST: picture ${hash}`);
  }
}

/** All that was confirmed, and of cut replies what they began with. */
function note(book: Book, { turns, beginnings, pictures }: Confirmed): void {
  for (const [id, words] of turns) book.confirmed.turns.set(id, words);
  for (const [id, text] of beginnings) book.confirmed.beginnings.set(id, text);
  for (const hash of pictures) book.confirmed.pictures.add(hash);
}

/** A person who asks, has replies written anew and edits, until a moment that counts from the first confirmed question. */
async function talk(kept: Kept): Promise<void> {
  let over = false;
  let until: Promise<unknown> | null = null;
  while (!over) {
    const { conversationId, lastReply, lastMessage } = kept.told;
    const parts = [{ kind: 'text' as const, text: `Question ${Math.floor(random() * 1e9)}` }];
    const chance = random();
    const asked =
      lastReply !== null && chance < 0.15
        ? kept.ask('chat.regenerate', { turnId: lastReply })
        : lastMessage !== null && chance < 0.3
          ? kept.ask('chat.edit', { turnId: lastMessage, parts })
          : kept.ask('chat.send', {
              conversationId: random() < 0.4 ? null : conversationId,
              parts,
            });
    if (until === null) {
      await asked;
      until = sleep(random() * longestMs).then(() => (over = true));
    }
    await Promise.race([asked.then(() => kept.settled()), until]);
  }
}

async function killApp(start: () => Promise<Kept>, book: Book): Promise<void> {
  const kept = await start();
  // Every fifth is asked before its engine is ready.
  if (random() < 0.8) await kept.until('ready');
  else book.early += 1;
  await talk(kept);
  await kept.kill();
  book.cut += kept.told.writing;
  note(book, kept.told.confirmed);
}

async function killEngine(kept: Kept, book: Book): Promise<void> {
  await kept.until('ready');
  await talk(kept);
  book.cut += kept.told.writing;
  const { pid } = kept.engine();
  if (pid === null) throw new Error('no engine runs');
  process.kill(pid, 'SIGKILL');
  await kept.settled();
  // After three crashes a person is asked, and says yes.
  await kept.until('starting', 'loading', 'halted', 'crashed');
  await kept.until('ready', 'halted');
  if (kept.engine().state === 'halted') await kept.ask('engine.restart', null);
  note(book, kept.told.confirmed);
}

/** A folder to be killed over, and what starts on it. */
function makeRig(): { readonly folder: string; start(): Promise<Kept>; tidy(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-kills-'));
  // Beside node_modules, where it finds the database's native part.
  const built = path.join(root, '.cache/bench/kills', String(process.pid));
  mkdirSync(built, { recursive: true });
  mkdirSync(path.join(folder, 'data'));
  const tidy = (): void => {
    for (const each of [folder, built])
      rmSync(each, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  process.on('exit', tidy);
  const program = bundle(built);
  const { model } = values;
  const engine =
    model === undefined ? [] : [findModel(model), path.join(root, 'out/worker/main.js')];
  const args = [program, path.join(folder, 'data'), ...engine];
  return { folder, tidy, start: () => startKept(pinnedNode(), path.join(built, 'compiled'), args) };
}

/** Short replies with drawings of few steps. */
const settings = {
  drawing: { steps: 2, guidance: null, negative: '', seed: null, enabled: true },
  sampling: { temperature: 1, topK: 0, topP: 1, maxNewTokens: 150, seed: null },
};

function report(kills: number, { confirmed, cut, early }: Book): string {
  const { turns, pictures } = confirmed;
  const before = values.model === undefined ? '' : `, ${early} before the engine was ready`;
  return (
    `${kills} SIGKILLs of the ${values.of}, ${cut} replies cut in the middle${before}: none of ${turns.size} confirmed ` +
    `turns and ${pictures.size} pictures is missing or changed, the database is whole after each`
  );
}

async function main(): Promise<number> {
  if (!values['no-build']) await buildStale();
  if (values.of === 'engine' && values.model === undefined)
    throw new Error('--of engine needs --model DIR');
  process.stdout.write(`${formatMachine(describeMachine())}\n`);
  const { folder, start, tidy } = makeRig();
  const confirmed = { turns: new Map(), beginnings: new Map(), pictures: new Set<string>() };
  const book: Book = { confirmed, cut: 0, early: 0 };
  const kills = Number(values.kills);
  let at = 0;
  let kept: Kept | null = null;
  try {
    kept = await start();
    await kept.ask('settings.set', settings);
    if (values.of === 'app') await kept.kill();
    for (; at < kills; at += 1) {
      if (values.of === 'app') await killApp(start, book);
      else await killEngine(kept, book);
      look(folder, confirmed);
      const load = (loadavg()[0] ?? 0).toFixed(1);
      if ((at + 1) % 20 === 0)
        process.stdout.write(
          `${at + 1}/${kills}: ${confirmed.turns.size} turns confirmed, ${book.cut} replies cut, load ${load}\n`,
        );
    }
    process.stdout.write(`${report(kills, book)}\n`);
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stdout.write(`FAILED at kill ${at + 1} of seed ${values.seed}: ${reason}\n`);
    return 1;
  } finally {
    await kept?.kill();
    tidy();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.exit(await main());
