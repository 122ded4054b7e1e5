// The packaged app (the build that lets a debugger in) as a child: started on a data folder, asked through its window.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type {
  AppReplyBody,
  AppReplyEnvelope,
  AppRequestBody,
  AppRequestName,
} from '../../src/shared/contracts/app-ipc.ts';
import { inspect, type Inspector, type Kept } from './inspector.ts';
import { familyOf, type ProcessUse } from './processes.ts';

export interface AppOptions {
  /** The packaged program. */
  readonly binary: string;
  readonly userData: string;
  /** Where exports go, without a question. */
  readonly saveFolder: string;
  readonly display: string | undefined;
  readonly switches: readonly string[];
  /** Beside this program's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a request of the window was refused with. */
export class Refused extends Error {}

export interface RunningApp {
  readonly pid: number;
  /** Asks main through the window's own bridge. @throws Refused with main's sentence */
  request<Name extends AppRequestName>(
    name: Name,
    body: AppRequestBody<Name>,
  ): Promise<AppReplyBody<Name>>;
  /** Runs an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  /** What the page keeps after a collection. */
  kept(): Promise<Kept>;
  /** The app's processes, main first. */
  processes(): readonly ProcessUse[];
  /** Connects to the page anew: after it was loaded again. */
  reconnect(): Promise<void>;
  /** Resolves when main has ended. */
  readonly ended: Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a person does, and waits. */
  quit(): Promise<void>;
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** How long anything is waited for: a machine that is far too busy starts an engine in minutes. */
export const patienceMs = Number(process.env['TEXTBIND_BENCH_PATIENCE_S'] ?? 180) * 1000;

/** Looks again and again until there is something. @throws after the limit, naming what was waited for */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | null> | Value | null,
): Promise<Value> {
  const end = performance.now() + patienceMs;
  let last: unknown = null;
  while (performance.now() < end) {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`waited ${patienceMs / 1000} s in vain for ${what}`, { cause: last });
}

/** Starts the app and waits until its window can be asked. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { binary, userData, saveFolder, display, switches, environment } = options;
  const portFile = path.join(userData, 'DevToolsActivePort');
  rmSync(portFile, { force: true });
  const args = [
    ...switches,
    `--user-data-dir=${userData}`,
    `--save-folder=${saveFolder}`,
    '--remote-debugging-port=0',
  ];
  const screen = display === undefined ? {} : { DISPLAY: display };
  const env = { ...process.env, ...screen, ...environment };
  const child = spawn(binary, args, { env, stdio: 'ignore' });
  const end = (): void => void child.kill('SIGKILL');
  process.on('exit', end);
  child.once('exit', () => process.off('exit', end));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${binary} was not started`);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let page = await connect(portFile, child);
  const evaluate = (expression: string): Promise<unknown> => page.evaluate(expression);
  return {
    pid,
    evaluate,
    async request(name, body) {
      const call = `window.api.request(${JSON.stringify(name)}, ${JSON.stringify(body)})`;
      const envelope = (await evaluate(call)) as AppReplyEnvelope;
      if (!envelope.ok) throw new Refused(`${name}: ${envelope.error.message}`);
      // Main checked it against the schema of this name.
      return envelope.value as AppReplyBody<typeof name>;
    },
    kept: () => page.kept(),
    processes: () => familyOf(pid),
    async reconnect() {
      page.close();
      page = await connect(portFile, child);
    },
    ended,
    signal: (signal) => void child.kill(signal),
    async quit() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

interface Listed {
  readonly type: string;
  readonly url: string;
  readonly webSocketDebuggerUrl: string;
}

async function connect(portFile: string, child: ChildProcess): Promise<Inspector> {
  return until('the window', async () => {
    if (child.exitCode !== null) throw new Error(`the app ended with code ${child.exitCode}`);
    if (!existsSync(portFile)) return null;
    const [port] = readFileSync(portFile, 'utf8').split('\n');
    const pages = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as Listed[];
    const page = pages.find(({ type, url }) => type === 'page' && url.startsWith('textbind-app:'));
    if (page === undefined) return null;
    const inspector = await inspect(page.webSocketDebuggerUrl, patienceMs / 6);
    const isThere = await inspector.evaluate(
      `typeof window.api === 'object' && document.querySelector('[data-testid="composer-input"]') !== null`,
    );
    if (isThere === true) return inspector;
    inspector.close();
    return null;
  });
}
