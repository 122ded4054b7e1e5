import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildStale } from '../../scripts/build/build.mjs';
import { hasDisplay, startVirtualScreen } from '../../scripts/setup/display.mjs';
import { installedRuntime, linkNativeModules } from '../../scripts/setup/electron.mjs';
import { machineSwitches, sandboxProblem } from '../../scripts/setup/launch.mjs';
import { root } from '../../scripts/setup/steps.mjs';
import type { BenchOptions } from '../options.ts';
import { PeerMissing } from '../peers/peer-process.ts';
import type { Section } from '../tables.ts';
import { findModel } from '../worker-process.ts';
import { reasonOf } from '../../src/shared/errors.ts';

const defaultRuns = 5;
const limitMs = 120_000;

type Runtime = NonNullable<ReturnType<typeof installedRuntime>>;

/** Seconds since the process was spawned, by the times that the app's own log gives. */
interface Start {
  readonly windowSeconds: number;
  /** Null where the model could not be opened. */
  readonly engineSeconds: number | null;
}

/**
 * When a line of main.log was written, milliseconds since the epoch; the log has local time. Null where no line says
 * it.
 */
export function timeOfLine(log: string, pattern: RegExp): number | null {
  const line = log.split('\n').find((candidate) => pattern.test(candidate));
  const stamp = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\]/.exec(line ?? '');
  return stamp === null ? null : new Date(`${stamp[1]}T${stamp[2]}`).getTime();
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    // The group: Chromium's helpers and the worker with it.
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

async function startOnce(runtime: Runtime, display: string | undefined, models: string | null) {
  const userData = mkdtempSync(path.join(tmpdir(), 'textbind-bench-start-'));
  const log = path.join(userData, 'logs', 'main.log');
  const switches = machineSwitches({ virtualScreen: display !== undefined });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...(display === undefined ? {} : { DISPLAY: display }),
  };
  delete env['ELECTRON_RUN_AS_NODE'];
  const args = [root, ...switches, `--user-data-dir=${userData}`];
  if (models !== null) args.push(`--models-folder=${models}`);
  const begin = Date.now();
  const child = spawn(runtime.executable, args, {
    cwd: root,
    env,
    stdio: 'ignore',
    detached: process.platform !== 'win32',
  });
  // Its group is its own, so an interrupted benchmark must end it by itself.
  const onOurEnd = (): void => end(child);
  process.once('exit', onOurEnd);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    return await watch(child, log, begin);
  } finally {
    end(child);
    await gone;
    process.off('exit', onOurEnd);
    rmSync(userData, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Waits for the log's lines; the times are the log's, so how often it is looked at does not matter. */
async function watch(child: ChildProcess, file: string, begin: number): Promise<Start> {
  while (Date.now() - begin < limitMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const log = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const window = timeOfLine(log, / window open\b/);
    const engine = timeOfLine(log, / reply .*\bname=model\.open\b/);
    const failed = timeOfLine(log, / model could not be opened\b/);
    if (window !== null && (engine !== null || failed !== null)) {
      return {
        windowSeconds: (window - begin) / 1000,
        engineSeconds: engine === null ? null : (engine - begin) / 1000,
      };
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the app ended (${child.signalCode ?? child.exitCode}): ${log.slice(-500)}`);
    }
  }
  throw new Error(`the app was not ready after ${limitMs / 1000} s`);
}

/** Seconds from starting the program to an open window, and to a model that answers. */
export async function measureStart(
  { runs, build, model }: BenchOptions,
  say: (line: string) => void,
): Promise<Section> {
  const base = { name: 'start', title: 'Starting the app' };
  const rounds = runs ?? defaultRuns;
  let screen: Awaited<ReturnType<typeof startVirtualScreen>> | undefined;
  try {
    const runtime = readyRuntime();
    if (build) {
      const built = await buildStale();
      if (built !== undefined) say(built);
    }
    linkNativeModules(runtime);
    const { models, note } = modelsFolderOf(model);
    if (!hasDisplay()) screen = await virtualScreen();
    const starts: Start[] = [];
    for (let round = 0; round < rounds; round += 1) {
      say(`start: ${round + 1} of ${rounds}`);
      starts.push(await startOnce(runtime, screen?.display, models));
    }
    const engine = starts.flatMap(({ engineSeconds }) => engineSeconds ?? []);
    return {
      ...base,
      about: [
        `${runtime.kind} Electron ${runtime.version}, ${screen === undefined ? 'real screen' : 'virtual screen, no GPU'}, ${rounds} starts, each with a fresh data folder`,
        `the first start of these: ${starts[0]!.windowSeconds.toFixed(2)} s to the window; what the system had read before stays in its cache`,
      ],
      tables: [
        {
          title: 'median (least to most)',
          columns: ['TextBind'],
          rows: [
            {
              label: 'to the open window',
              unit: 's',
              cells: [starts.map(({ windowSeconds }) => windowSeconds)],
            },
            {
              label: 'to the model open',
              unit: 's',
              cells: [engine.length === 0 ? null : engine],
            },
          ],
        },
      ],
      skipped: note === null ? [] : [note],
    };
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    return { ...base, about: [], tables: [], skipped: [error.message] };
  } finally {
    screen?.stop();
  }
}

function readyRuntime(): Runtime {
  const runtime = installedRuntime();
  if (runtime === undefined) throw new PeerMissing('no Electron yet: npm start installs it');
  const problem = sandboxProblem(runtime.dist);
  if (problem !== undefined)
    throw new PeerMissing(`the sandbox cannot start; run once: ${problem}`);
  return runtime;
}

/** The app opens "textbind-mini" of its models folder; a model of another name cannot be started with. */
function modelsFolderOf(model: string): { models: string | null; note: string | null } {
  try {
    const folder = findModel(model);
    if (path.basename(folder) === 'textbind-mini')
      return { models: path.dirname(folder), note: null };
    return { models: null, note: `the app starts with textbind-mini, not with ${model}` };
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    return { models: null, note: `the model could not be opened: ${error.message}` };
  }
}

async function virtualScreen() {
  try {
    return await startVirtualScreen();
  } catch (error) {
    const reason = reasonOf(error);
    throw new PeerMissing(`no screen, and no virtual one: ${reason}`);
  }
}
