// What ships runs its own archive and nothing else: the fuses of the packaged binary, read back and tried.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';

const shipped = process.env['TEXTBIND_E2E_SHIPPED'] ?? '';
const switches = JSON.parse(process.env['TEXTBIND_E2E_SWITCHES'] ?? '[]') as string[];

/** Every fuse that this Electron may have, and how it must be. */
const wanted: Readonly<Record<keyof typeof FuseV1Options, boolean>> = {
  RunAsNode: false,
  EnableCookieEncryption: true,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
  LoadBrowserProcessSpecificV8Snapshot: false,
  GrantFileProtocolExtraPrivileges: false,
};

/** Fuses of newer versions that stay as Electron has them: 8 traps faults of WebAssembly's memory, of which we have none. */
const leftAlone = ['8'];

describe('the packaged program', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-fuses-'));
  before(function () {
    if (shipped === '') this.skip();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Starts it, gives it a time, ends it. @returns what it printed */
  async function briefly(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<string> {
    const data = `--user-data-dir=${folder}`;
    const child = spawn(shipped, [...switches, data, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let words = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (words += data.toString()));
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    await browser.pause(4000);
    child.kill('SIGTERM');
    await closed;
    return words;
  }

  for (const file of [shipped, process.env['TEXTBIND_E2E_APP'] ?? '']) {
    it(`has every fuse as it must be: ${path.basename(path.dirname(path.dirname(file)))}`, async () => {
      const wire = await getCurrentFuseWire(file);
      // A fuse is one digit in the binary (Electron's fuses.md).
      const state = (on: boolean): number => (on ? '1' : '0').charCodeAt(0);
      for (const [name, on] of Object.entries(wanted))
        expect([name, wire[FuseV1Options[name as keyof typeof wanted]]]).toEqual([name, state(on)]);
      // A newer Electron's further fuses must be decided on too.
      const further = Object.keys(wire).filter((key) => Number(key) >= Object.keys(wanted).length);
      expect(leftAlone).toEqual(expect.arrayContaining(further));
    });
  }

  it('is no Node, whatever its environment says', () => {
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    const script = `require('node:fs').writeFileSync(${JSON.stringify(path.join(folder, 'ran'))}, 'x')`;
    spawnSync(shipped, [...switches, '-e', script], { env, timeout: 4000 });
    expect(existsSync(path.join(folder, 'ran'))).toBe(false);
  });

  it('loads no code that NODE_OPTIONS names, and opens no inspector', async () => {
    const planted = path.join(folder, 'planted.cjs');
    execFileSync('sh', ['-c', `echo "process.stderr.write('planted\\n')" > ${planted}`]);
    const words = await briefly(['--inspect=0', '--inspect-brk=0'], {
      NODE_OPTIONS: `--require ${planted}`,
    });
    expect(words).not.toMatch(/^planted|Debugger listening/m);
    expect(existsSync(path.join(folder, 'logs/main.log'))).toBe(true);
  });

  it('lets no other program debug its window, and says so', async () => {
    const words = await briefly(['--remote-debugging-port=0'], {});
    expect(words).toContain('cannot be debugged from outside');
    expect(words).not.toContain('DevTools listening');
    expect(existsSync(path.join(folder, 'DevToolsActivePort'))).toBe(false);
  });
});
