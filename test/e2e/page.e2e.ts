// A window whose page dies or hangs: it is loaded again, and where that does not help the app says so itself. Driven
// through Chromium's own port: a WebDriver gives up on a page that crashed, and Chromium calls no page hung that a
// debugger is attached to.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const program = [process.env['TEXTBIND_E2E_APP'] ?? ''].filter((each) => each !== '');
const development = [
  process.env['TEXTBIND_E2E_ELECTRON'] ?? '',
  path.resolve(import.meta.dirname, '../..'),
];
const switches = JSON.parse(process.env['TEXTBIND_E2E_SWITCHES'] ?? '[]') as string[];
const data = mkdtempSync(path.join(os.tmpdir(), 'textbind-page-'));
const log = path.join(data, 'logs/main.log');

const times = (words: string): number =>
  existsSync(log) ? readFileSync(log, 'utf8').split(words).length - 1 : 0;

/** Process ids of the app's pages. */
function pagePids(): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const own = rows.filter((row) => row.includes('--type=renderer') && row.includes(data));
  return own.map((row) => Number(row.trim().split(' ')[0]));
}

const patience = { timeout: 90_000, interval: 200 };

type Target = { readonly url: string; readonly webSocketDebuggerUrl: string };

/** What the app shows now: its page, and a notice where one lies over it. */
async function targets(): Promise<readonly Target[]> {
  const file = path.join(data, 'DevToolsActivePort');
  const port = readFileSync(file, 'utf8').split('\n')[0] ?? '';
  const answer = await fetch(`http://127.0.0.1:${port}/json`);
  return (await answer.json()) as readonly Target[];
}

async function target(address: string): Promise<Target> {
  let found: Target | undefined;
  await browser.waitUntil(
    async () => (found = (await targets()).find(({ url }) => url === address)) !== undefined,
    { ...patience, timeoutMsg: `nothing shows ${address}` },
  );
  if (found === undefined) throw new Error(`nothing shows ${address}`);
  return found;
}

/** Sends commands to a target and gives the first answer; none comes from one that they end or block. */
async function send(
  { webSocketDebuggerUrl }: Target,
  ...commands: readonly (readonly [method: string, params: object])[]
): Promise<string> {
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const answered = new Promise<string>((resolve) => {
    socket.addEventListener('message', ({ data }) => resolve(String(data)));
    setTimeout(() => resolve(''), 1500);
  });
  for (const [index, [method, params]] of commands.entries())
    socket.send(JSON.stringify({ id: index + 1, method, params }));
  const answer = await answered;
  socket.close();
  return answer;
}

/** Waits until a page's words have these in them. */
async function says(at: Target, words: string): Promise<void> {
  const expression = 'document.body?.innerText ?? ""';
  await browser.waitUntil(async () => (await evaluate(at, expression)).includes(words), {
    ...patience,
    timeoutMsg: `${at.url} never says "${words}"`,
  });
}

const evaluate = (at: Target, expression: string): Promise<string> =>
  send(at, ['Runtime.evaluate', { expression, returnByValue: true }]);

/** Presses the notice's first link and waits until the page is whole again. */
async function openAgain(notice: Target, answers: number): Promise<void> {
  await evaluate(notice, `document.querySelector('[data-testid="notice-reload"]').click()`);
  await browser.waitUntil(
    async () => times('page notice answered action=reload') === answers,
    patience,
  );
  await browser.waitUntil(async () => {
    const [page, ...others] = await targets();
    if (page === undefined || others.length > 0) return false;
    return (await evaluate(page, 'document.body?.innerText ?? ""')).includes('New');
  }, patience);
}

describe('a page', () => {
  let child: ChildProcess;

  before(async () => {
    const [binary = '', ...args] = program.length > 0 ? program : development;
    child = spawn(
      binary,
      [...args, ...switches, '--remote-debugging-port=0', `--user-data-dir=${data}`],
      { stdio: 'ignore' },
    );
    await browser.waitUntil(async () => times('window open') === 1, patience);
  });
  after(async () => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });

  it('that dies is loaded again; the fourth time within a minute a notice offers to', async () => {
    for (let death = 1; death <= 4; death += 1) {
      expect(times('page notice')).toBe(0);
      for (const pid of pagePids()) process.kill(pid, 'SIGKILL');
      await browser.waitUntil(async () => times('page process gone') === death, patience);
      if (death === 4) continue;
      await browser.waitUntil(async () => pagePids().length > 0, patience);
      await browser.pause(1000);
    }
    const notice = await target('textbind-app://notice/gone');
    await says(notice, 'stopped working');
    await openAgain(notice, 1);
  });

  it('that hangs is told of, and opened again when asked', async () => {
    const at = { x: 300, y: 300, button: 'left', clickCount: 1 };
    await send(await target('textbind-app://page/index.html'), [
      'Runtime.evaluate',
      { expression: 'setTimeout(() => { for (;;); }, 100)' },
    ]);
    // Only a person's input that goes unanswered makes a page "not answer".
    await browser.pause(500);
    await send(await target('textbind-app://page/index.html'), [
      'Input.dispatchMouseEvent',
      { ...at, type: 'mousePressed' },
    ]);
    const notice = await target('textbind-app://notice/hung');
    await says(notice, 'does not answer');
    await openAgain(notice, 2);
  });
});
