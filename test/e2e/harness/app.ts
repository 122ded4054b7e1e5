// The app under test: a data folder of its own, a launcher that WebDriver starts as "the browser", its
// log, its processes. One app at a time in a worker.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withDescendants } from '../../../bench/app/processes.ts';

const root = path.resolve(import.meta.dirname, '../../..');

export type AppUnderTest = {
  /** Everything of this app: data, launcher, output. Removed at the end unless TEXTBIND_E2E_KEEP is set. */
  readonly folder: string;
  /** The app's data folder (--user-data-dir). */
  readonly userData: string;
  /** Where a spec may write. */
  readonly scratch: string;
  readonly launcher: string;
};

export type LaunchOptions = {
  /** Further arguments of the app. */
  readonly args?: readonly string[];
  /** Further environment variables of the app. */
  readonly env?: Readonly<Record<string, string>>;
};

let current: AppUnderTest | undefined;

/** The app of this worker. */
export function app(): AppUnderTest {
  if (current === undefined) throw new Error('no app was prepared in this worker');
  return current;
}

/**
 * What to start: the packaged app (TEXTBIND_E2E_APP, a path), or the development build on the Electron
 * that set-up chose (TEXTBIND_E2E_ELECTRON, a path).
 */
function command(): string[] {
  const packaged = process.env['TEXTBIND_E2E_APP'];
  if (packaged !== undefined && packaged !== '') return [packaged];
  const electron = process.env['TEXTBIND_E2E_ELECTRON'];
  if (electron === undefined)
    throw new Error('run the end-to-end tests with: npm test -- --only e2e');
  return [electron, process.env['TEXTBIND_E2E_ROOT'] ?? root];
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Writes the launcher: environment, output to files, the process id, then the app in its place. */
function writeLauncher(target: AppUnderTest, options: LaunchOptions): void {
  const switches = JSON.parse(process.env['TEXTBIND_E2E_SWITCHES'] ?? '[]') as string[];
  const all = [...command(), ...switches, ...(options.args ?? [])];
  const exports = Object.entries(options.env ?? {}).map(([k, v]) => `export ${k}=${quote(v)}`);
  const script = [
    '#!/bin/sh',
    ...exports,
    'unset ELECTRON_RUN_AS_NODE',
    `echo $$ > ${quote(path.join(target.folder, 'pid'))}`,
    // "$@" is what chromedriver adds, --user-data-dir among it: it waits for a file in that folder.
    `exec ${all.map(quote).join(' ')} "$@" >> ${quote(path.join(target.folder, 'output.log'))} 2>&1`,
  ];
  writeFileSync(target.launcher, `${script.join('\n')}\n`);
  chmodSync(target.launcher, 0o755);
}

/** A fresh app; called before a spec's session starts. */
export function prepareApp(options: LaunchOptions = {}): AppUnderTest {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-e2e-'));
  current = {
    folder,
    userData: path.join(folder, 'user-data'),
    scratch: path.join(folder, 'scratch'),
    launcher: path.join(folder, 'app'),
  };
  mkdirSync(current.userData);
  mkdirSync(current.scratch);
  writeLauncher(current, options);
  return current;
}

/** Ends the app and opens it again on the same data folder. */
export async function restartApp(options: LaunchOptions = {}): Promise<void> {
  writeLauncher(app(), options);
  await browser.reloadSession();
}

/** The process id of the app's main process. */
export function mainPid(): number {
  return Number(readFileSync(path.join(app().folder, 'pid'), 'utf8'));
}

/**
 * Process ids of the app's workers: utility processes that run Node and that main's log calls so; another decodes
 * pictures. Empty where none runs.
 */
export function workerPids(): number[] {
  const logged = [...appLog().matchAll(/worker ready pid=(\d+)/g)].map((line) => Number(line[1]));
  return pidsWith('node.mojom.NodeService').filter((pid) => logged.includes(pid));
}

/** Process ids of all programs of ours beside main: engine, decoder, what draws apart. */
export const nodePids = (): number[] => pidsWith('node.mojom.NodeService');

/** Process ids of the process that draws, for a model that draws apart. */
export function drawingPids(): number[] {
  const logged = [...appLog().matchAll(/worker ready process=drawing pid=(\d+)/g)];
  const pids = logged.map((line) => Number(line[1]));
  return pidsWith('node.mojom.NodeService').filter((pid) => pids.includes(pid));
}

/** Process ids of the app's own processes whose command line has this in it. */
function pidsWith(words: string): number[] {
  const listed = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const rows = listed.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
  const processes = rows.flatMap((row) =>
    row === null ? [] : [{ pid: Number(row[1]), parent: Number(row[2]), args: String(row[3]) }],
  );
  return withDescendants(processes, mainPid())
    .filter(({ args }) => args.includes(words))
    .map(({ pid }) => pid);
}

/** SIGKILL to the worker. @returns how many processes were killed */
export function killWorker(): number {
  const pids = workerPids();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}

/** What the app wrote: its own logs and what it printed. */
export function appLog(): string {
  const { folder, userData } = app();
  const logs = path.join(userData, 'logs');
  const files = existsSync(logs) ? readdirSync(logs).map((name) => path.join(logs, name)) : [];
  return [path.join(folder, 'output.log'), ...files]
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

/** Ends an app that outlived its session, and removes its folder. */
export function endLeftOvers(): void {
  if (current === undefined) return;
  try {
    process.kill(mainPid(), 'SIGKILL');
  } catch {
    // It ended, as it should.
  }
  if (process.env['TEXTBIND_E2E_KEEP'] === undefined) {
    rmSync(current.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } else console.log(`kept: ${current.folder}`);
  current = undefined;
}
