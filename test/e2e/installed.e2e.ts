// The Debian package as a person has it: installed into a layer over this machine, started by an ordinary user from the
// menu entry's line, Chromium's sandbox on.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runUnshared, whyNotUnshared } from './harness/namespaces.ts';
import type { Report, Start } from './installed/clean-root.ts';

const root = path.resolve(import.meta.dirname, '../..');
const deb = process.env['TEXTBIND_E2E_DEB'] ?? '';
/** Under wdio.conf.ts's own, which would tell less. */
const limitMs = 270_000;
const namespaces = ['--mount', '--pid', '--fork'];

/** Why this machine cannot try it; empty where it can. */
function whyNot(): string {
  if (deb === '')
    return 'no package was built: there is no dpkg here, or this is the development build';
  if (process.getuid?.() !== 0) return 'only root can install a package';
  const script = 'mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/m && cd /mnt && ';
  const layer = 'mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w m';
  return whyNotUnshared([...namespaces, 'sh', '-c', script + layer], 'no layer over the root here');
}

describe('the Debian package', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-installed-'));
  let report: Report;

  before(function () {
    const reason = whyNot();
    if (reason !== '') {
      console.log(`skipped: ${reason.trim()}`);
      this.skip();
    }
    const result = path.join(folder, 'report.json');
    const program = path.join(import.meta.dirname, 'installed/clean-root.ts');
    const layer = mkdtempSync(path.join(os.tmpdir(), 'textbind-layer-'));
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', program];
    try {
      runUnshared([...namespaces, ...node, deb, layer, root, result], limitMs);
    } finally {
      rmSync(layer, { recursive: true, force: true });
    }
    report = JSON.parse(readFileSync(result, 'utf8')) as Report;
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('installs whole, with what its program is linked to', () => {
    expect(report.installed).toContain('Setting up textbind-studio');
    expect(report.verified).toBe('');
    expect(report.missingLibraries).toEqual([]);
  });

  it('has an icon of every size', () => {
    const sizes = report.icons.map((file) => file.split('/')[0]).sort();
    expect(sizes).toEqual(
      [
        '1024x1024',
        '128x128',
        '16x16',
        '24x24',
        '256x256',
        '32x32',
        '48x48',
        '512x512',
        '64x64',
        'scalable',
      ].sort(),
    );
  });

  /** What must hold of every start. */
  function sound({ processes, windows, log, endedWith }: Start): void {
    expect(windows).toContain('("textbind studio" "TextBind Studio")');
    expect(log).toContain('asked to open kind=place');
    expect(endedWith).toBe(0);
    for (const { user, args } of processes) {
      expect(user).toBe(report.person);
      expect(args).not.toContain('--no-sandbox');
    }
    const pages = processes.filter(({ type }) => type === 'renderer');
    expect(pages).not.toEqual([]);
    for (const { seccomp, isApart } of pages) expect([seccomp, isApart]).toEqual([2, true]);
  }

  it("runs from its menu entry's line, as an ordinary user, sandboxed by namespaces", () => {
    expect(report.menuLine).toBe('/opt/textbind-studio/textbind-studio %U');
    sound(report.plain);
    // A set-uid program that nobody needs is one too many.
    expect(report.plain.helper).toEqual({ mode: 0o755, owner: 0 });
  });

  it('is sandboxed by the set-uid helper where the system gives no namespaces', () => {
    sound(report.withoutNamespaces);
    expect(report.withoutNamespaces.helper).toEqual({ mode: 0o4755, owner: 0 });
  });

  it('answers in its window: the scripted conversation, with a drawing', () => {
    const { status, words, files } = report.demo;
    expect([status, status === 0 ? '' : words]).toEqual([0, '']);
    expect(files.join(' ')).toMatch(/\.png/);
  });

  it('leaves conversations where they are when it is removed, and says where', () => {
    expect(report.leftInOpt).toBe(false);
    expect(report.removal).toContain('~/.config/TextBind Studio');
    expect(report.dataLeft).toContain('textbind.db');
  });
});
