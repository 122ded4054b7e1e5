import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildStale } from '../../scripts/build/build.mjs';
import { hasDisplay, startVirtualScreen } from '../../scripts/setup/display.mjs';
import { installedRuntime, linkNativeModules } from '../../scripts/setup/electron.mjs';
import { machineSwitches } from '../../scripts/setup/launch.mjs';
import { root } from '../../scripts/setup/steps.mjs';
import { closeDatabase, openDatabase } from '../../src/main/database/open.ts';
import { createStore } from '../../src/main/database/store.ts';
import { emptyTurn, type Turn } from '../../src/shared/domain/turn.ts';
import { startApp, until, type RunningApp } from '../app/app.ts';
import type { BenchOptions } from '../options.ts';
import { PeerMissing } from '../peers/peer-process.ts';
import { median, percentile } from '../statistics.ts';
import type { Row, Section } from '../tables.ts';

const turns = 2_000;
const frames = 400;
/** As fast as a wheel that is turned hard: 3,600 px a second at 60 frames. */
const pixelsAFrame = 60;
const defaultRuns = 3;

function turnOf(index: number): Turn {
  const role = index % 2 === 0 ? 'user' : 'assistant';
  const words = `Turn ${index}. ${'One thing leads to another, and so the story goes on. '.repeat(1 + (index % 7))}`;
  const list = '\n\n- the light\n- the *edges*\n- the ground';
  return {
    ...emptyTurn({ id: randomUUID(), role, createdAt: index }),
    parts: [{ kind: 'text', text: index % 4 === 1 ? words + list : words }],
    status: 'complete',
    model: role === 'user' ? null : 'TextBind mini',
  };
}

/** The long conversation, before the app opens its database. @returns its id */
function fill(userData: string): string {
  const data = path.join(userData, 'data');
  mkdirSync(data, { recursive: true });
  const database = openDatabase({
    file: path.join(data, 'textbind.db'),
    backupFolder: path.join(data, 'backups'),
  });
  const store = createStore(database);
  const id = randomUUID();
  store.transaction(() => {
    store.conversations.create(id, 'Two thousand turns', Date.now());
    for (let index = 0; index < turns; index += 1) store.turns.append(id, turnOf(index));
  });
  closeDatabase(database);
  return id;
}

/** Scrolls up by a little each frame. @returns milliseconds between frames, and how far it came */
const scrolling = `(async () => {
  const list = document.querySelector('[data-testid="conversation"]') ?? document.querySelector('[data-testid="empty-state"]').parentElement;
  const taken = [];
  let come = 0;
  let last = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < ${frames}; frame += 1) {
    const before = list.scrollTop;
    list.scrollTop -= ${pixelsAFrame};
    come += Math.max(0, before - list.scrollTop);
    const now = await new Promise(requestAnimationFrame);
    taken.push(now - last);
    last = now;
  }
  return { taken, come };
})()`;

/** Time of the processor that the page's process has taken, ms (Linux: a tick is 10 ms). */
function pageCpuMs(app: RunningApp): number {
  const pid = app.processes().find(({ kind }) => kind === 'page')?.pid;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

interface Measured {
  readonly taken: readonly number[];
  readonly come: number;
  readonly cpuMs: number;
}

async function scroll(app: RunningApp): Promise<Measured> {
  const before = pageCpuMs(app);
  const { taken, come } = (await app.evaluate(scrolling)) as Omit<Measured, 'cpuMs'>;
  return { taken, come, cpuMs: (pageCpuMs(app) - before) / frames };
}

async function open(app: RunningApp, testId: string, shown: string): Promise<void> {
  await app.evaluate(`document.querySelector('${testId}').click()`);
  await until(shown, async () =>
    (await app.evaluate(`document.querySelector('${shown}') !== null`)) === true ? true : null,
  );
  // What is made when a conversation is opened is not scrolling.
  await app.evaluate('new Promise((resolve) => setTimeout(resolve, 1500))');
}

const rowOf = (label: string, all: readonly Measured[]): Row => {
  const taken = all.map((each) => each.taken);
  const each = (of: (values: readonly number[]) => number): number[] => taken.map(of);
  return {
    label,
    unit: 'ms',
    cells: [
      each(median),
      each((values) => percentile(values, 0.95)),
      each((values) => percentile(values, 0.99)),
      all.map(({ cpuMs }) => cpuMs),
    ],
  };
};

/** Frames of the real window while a conversation of 2,000 turns is scrolled, and while a page with nothing in it is. */
export async function measureScroll(
  { runs, build }: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const runtime = installedRuntime();
  if (runtime === undefined || process.platform !== 'linux')
    throw new PeerMissing('no Electron on Linux');
  if (build) await buildStale();
  linkNativeModules(runtime);
  const screen = hasDisplay() ? null : await startVirtualScreen();
  const userData = mkdtempSync(path.join(tmpdir(), 'textbind-bench-scroll-'));
  try {
    const id = fill(userData);
    const app = await startApp({
      binary: runtime.executable,
      userData,
      saveFolder: path.join(userData, 'saved'),
      display: screen?.display ?? process.env['DISPLAY'],
      switches: [root, ...machineSwitches({ virtualScreen: screen !== null })],
    });
    const [empty, long]: [Measured[], Measured[]] = [[], []];
    for (let round = 0; round < (runs ?? defaultRuns); round += 1) {
      say(`scroll: round ${round + 1}`);
      await open(app, '[data-testid="new-conversation"]', '[data-testid="empty-state"]');
      empty.push(await scroll(app));
      await open(app, `[data-conversation-id="${id}"]`, '[data-turn-id]');
      long.push(await scroll(app));
    }
    await app.quit();
    const come = Math.min(...long.map((each) => each.come));
    return {
      name: 'scroll',
      title: `Scrolling ${turns} turns`,
      about: [
        `${frames} frames, ${pixelsAFrame} px each, up from the end; it came ${Math.round(come)} px far; Electron's window, drawn by the processor; the first columns are from frame to frame`,
      ],
      tables: [
        {
          title: 'a frame',
          columns: ['median', '95th percentile', '99th', "the page's CPU"],
          rows: [rowOf('an empty page', empty), rowOf(`${turns} turns`, long)],
        },
      ],
      skipped: [],
    };
  } finally {
    screen?.stop();
    rmSync(userData, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
