// Cold start of the packaged app on a fresh data folder, by its own log: until the window is open, and
// until the model is open too. The disk cache is warm: a first start after boot is slower.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packApp } from '../dist.mjs';
import { hasDisplay, startVirtualScreen } from '../setup/display.mjs';
import { machineSwitches } from '../setup/launch.mjs';
import { median, type Line } from './report.ts';

const rounds = 3;
const limitMs = 120_000;

/** Seconds until each of the two lines stands in the log. */
async function startOnce(binary: string, display: string | undefined): Promise<[number, number]> {
  const userData = mkdtempSync(path.join(os.tmpdir(), 'textbind-bench-'));
  const switches = machineSwitches({ virtualScreen: display !== undefined });
  const env = display === undefined ? process.env : { ...process.env, DISPLAY: display };
  const begin = performance.now();
  const child = spawn(binary, [...switches, `--user-data-dir=${userData}`], {
    env,
    stdio: 'ignore',
    detached: true,
  });
  const seconds = (): number => (performance.now() - begin) / 1000;
  let open = Number.NaN;
  try {
    while (performance.now() - begin < limitMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const log = readLog(path.join(userData, 'logs', 'main.log'));
      if (Number.isNaN(open) && log.includes('window open')) open = seconds();
      if (/ reply request=\S+ name=model\.open/.test(log)) return [open, seconds()];
      if (log.includes('model could not be opened')) throw new Error('the model did not open');
    }
    throw new Error(`no usable window within ${limitMs / 1000} s`);
  } finally {
    const { pid } = child;
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(userData, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @returns lines of the report */
export async function benchColdStart(): Promise<Line[]> {
  const binary = await packApp();
  const screen = hasDisplay() ? undefined : await startVirtualScreen();
  try {
    const all: [number, number][] = [];
    for (let round = 0; round < rounds; round++) all.push(await startOnce(binary, screen?.display));
    return [
      { name: 'cold start to window', unit: 's', value: median(all.map(([open]) => open)) },
      {
        name: 'cold start to model ready',
        unit: 's',
        value: median(all.map(([, model]) => model)),
      },
    ];
  } finally {
    screen?.stop();
  }
}
