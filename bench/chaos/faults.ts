// What goes wrong, one at a time, each in the middle of something. A fault begins, and says how it ends.
import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { sleep, until, type RunningApp } from '../app/app.ts';
import type { Place } from '../app/place.ts';
import { pick } from '../app/random.ts';
import type { OwnClock, SlowDisk } from './means.ts';

export interface Scene {
  readonly place: Place;
  readonly database: string;
  app(): RunningApp;
  /** What this machine has for some of the faults; those that lack it are not chosen. */
  readonly clock: OwnClock | null;
  readonly slowDisk: SlowDisk | null;
  readonly random: () => number;
  /** Starts the app again after its end. */
  start(): Promise<void>;
}

/** @returns what makes all well again; null where nothing has to be done */
export type Fault = (scene: Scene) => Promise<(() => Promise<void>) | null>;

export const faultNames = [
  'SIGKILL of the app',
  'SIGKILL of the engine',
  'SIGKILL of the page',
  'SIGSTOP of the engine',
  'SIGSTOP of the app',
  'engine out of memory',
  'disk full',
  'database locked',
  'slow disk',
  'clock jumps',
  'clock is wrong for one start',
] as const;
export type FaultName = (typeof faultNames)[number];

/** The engine has a model open. */
const engineLeastBytes = 200 * 2 ** 20;

/** Main may not have noticed yet that the one before is dead, or waits before it starts the next. */
function engineOf({ app }: Scene): Promise<number> {
  return until('an engine with a model', () => {
    const [largest] = app()
      .processes()
      .filter(({ kind }) => kind === 'engine')
      .sort((a, b) => b.bytes - a.bytes);
    return largest !== undefined && largest.bytes > engineLeastBytes ? largest.pid : null;
  });
}

async function stopped(pid: number, forMs: number): Promise<() => Promise<void>> {
  process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  return () => {
    process.kill(pid, 'SIGCONT');
    return Promise.resolve();
  };
}

export const faults: Readonly<Record<FaultName, Fault>> = {
  async 'SIGKILL of the app'({ app, start, database }) {
    app().signal('SIGKILL');
    await app().ended;
    const opened = new Database(database);
    const integrity = String(opened.pragma('integrity_check', { simple: true }));
    opened.close();
    if (integrity !== 'ok') throw new Error(`the database after SIGKILL: ${integrity}`);
    await start();
    return null;
  },

  async 'SIGKILL of the engine'(scene) {
    process.kill(await engineOf(scene), 'SIGKILL');
    return null;
  },

  async 'SIGKILL of the page'({ app }) {
    const page = app()
      .processes()
      .find(({ kind }) => kind === 'page');
    if (page === undefined) throw new Error('no page runs');
    process.kill(page.pid, 'SIGKILL');
    // Three within a minute are loaded again by themselves; a fourth asks the person.
    await sleep(500);
    await app().reconnect();
    return null;
  },

  'SIGSTOP of the engine': async (scene) => stopped(await engineOf(scene), 1500),

  'SIGSTOP of the app': ({ app }) => stopped(app().pid, 1500),

  /** No more address space than it has now and a little: the next large piece is refused. */
  async 'engine out of memory'(scene) {
    const pid = await engineOf(scene);
    execFileSync('prlimit', [`--pid=${pid}`, '--data=67108864:67108864']);
    await sleep(1000);
    return () => {
      // What it became is not what a person has: begin with a fresh one.
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It died of it.
      }
      return Promise.resolve();
    };
  },

  /** The folder lies on a small disk of its own; a file takes the rest of it. */
  async 'disk full'({ place }) {
    const file = path.join(place.userData, 'filler');
    const { bavail, bsize } = statfsSync(place.userData);
    const free = bavail * bsize;
    for (let size = free; size > 4096; size = Math.floor(size / 2)) {
      try {
        writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
      } catch {
        // Less fits.
      }
    }
    await sleep(1500);
    return () => {
      rmSync(file, { force: true });
      return Promise.resolve();
    };
  },

  async 'database locked'({ database }) {
    const other = new Database(database, { timeout: 10_000 });
    other.exec('BEGIN IMMEDIATE');
    await sleep(2500);
    return () => {
      other.exec('ROLLBACK');
      other.close();
      return Promise.resolve();
    };
  },

  async 'slow disk'({ app, slowDisk }) {
    if (slowDisk === null) throw new Error('not on this machine');
    const heal = await slowDisk(app().pid);
    await sleep(2500);
    return heal;
  },

  async 'clock jumps'({ app, clock, random }) {
    if (clock === null) throw new Error('not on this machine');
    clock.set(pick(shifts, random));
    await clockIsWrong(app());
    return () => {
      clock.set('+0');
      return Promise.resolve();
    };
  },

  /** It must delete nothing because of it, and go on afterwards. */
  async 'clock is wrong for one start'({ app, start, clock, random }) {
    if (clock === null) throw new Error('not on this machine');
    await app().quit();
    clock.set(pick(shifts, random));
    await start();
    await clockIsWrong(app());
    return async () => {
      await app().quit();
      clock.set('+0');
      await start();
    };
  },
};

/** As far as clocks go wrong: an empty battery, a mistyped year, a summer's hour. */
const shifts = ['+40d', '-40d', '+4000d', '-9000d', '+1h', '-1h'] as const;

/** A fault that did not come would prove nothing. */
async function clockIsWrong(app: RunningApp): Promise<void> {
  await until('the app to see another time', async () => {
    const offMs = Number(await app.evaluate('Date.now()')) - Date.now();
    return Math.abs(offMs) > 30 * 60_000 ? true : null;
  });
}

/** The engine can be asked again, and the page stands: what a person needs to go on. */
export async function recovered({ app }: Scene): Promise<void> {
  await until('an engine that can be asked', async () => {
    const { state } = await app().request('engine.status', null);
    if (state === 'halted' || state === 'crashed' || state === 'stopped') {
      await app()
        .request('engine.restart', null)
        .catch(() => undefined);
      return null;
    }
    return state === 'ready' ? true : null;
  });
  const stands = await app().evaluate(
    `document.querySelector('[data-testid="composer-input"]') !== null`,
  );
  if (stands !== true) throw new Error('the window has no composer');
}
