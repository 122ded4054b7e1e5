// Starts that must not look alike: a data folder that cannot be written, and one that is open already, by whatever
// path. The program that ships, without a driver: it would want the folder for itself.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const shipped = process.env['TEXTBIND_E2E_SHIPPED'] ?? '';
const switches = JSON.parse(process.env['TEXTBIND_E2E_SWITCHES'] ?? '[]') as string[];

describe('the data folder', () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'textbind-folder-'));
  before(function () {
    if (shipped === '') this.skip();
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Starts the app; `ended` gives its exit code and what it wrote to stderr. */
  function start(folder: string, ...args: string[]) {
    const child = spawn(shipped, [...switches, `--user-data-dir=${folder}`, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let words = '';
    child.stderr.on('data', (data: Buffer) => (words += data.toString()));
    const ended = new Promise<{ code: number | null; words: string }>((resolve) =>
      child.once('close', (code) => resolve({ code, words })),
    );
    return { child, ended };
  }

  it('that cannot be written is told, with what to do, and the exit code is 1', async () => {
    const { code, words } = await start('/sys/textbind', '--demo', `--out=${root}/out`).ended;
    expect(words).toContain('You may not write into the data folder /sys/textbind.');
    expect(words).not.toContain('open already');
    expect(code).toBe(1);
  });

  it('that is open already is told, through a link too, and the exit code is 0', async () => {
    const real = path.join(root, 'real');
    const link = path.join(root, 'link');
    mkdirSync(real, { mode: 0o755 });
    symlinkSync(real, link);
    const first = start(real);
    await browser.waitUntil(async () => existsSync(path.join(real, 'data/textbind.db')), {
      timeout: 60_000,
    });
    const { code, words } = await start(link).ended;
    expect(words).toContain('open already');
    expect(code).toBe(0);
    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
  });

  it('is its owner’s alone, with everything in it', () => {
    const real = path.join(root, 'real');
    const open = readdirSync(real, { recursive: true, encoding: 'utf8' })
      .map((name) => path.join(real, name))
      .concat(real)
      .filter((file) => (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077);
    expect(open).toEqual([]);
  });
});
