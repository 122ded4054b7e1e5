// A small number of bench's chaos and soak in every run of the tests: eight faults, and a person for a few
// turns. More, and longer: `npm run bench -- chaos`, `npm run bench -- soak`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const app = process.env['TEXTBIND_E2E_APP'] ?? '';
const limitMs = 900_000;
/** Of the eleven kinds in bench/chaos/faults.ts as many come, in the seed's order: all of them take a quarter of an hour. */
const faults = 8;

/** Runs a program of bench over the packaged app. @returns its exit code and what it said */
function bench(name: string, ...args: string[]): Promise<{ code: number | null; words: string }> {
  const program = path.join(root, 'bench', name, 'main.ts');
  const all = ['--disable-warning=ExperimentalWarning', program, '--app', app, ...args];
  const env = { ...process.env };
  // What this runner lays over Node is not for others.
  delete env['NODE_OPTIONS'];
  const child = spawn(process.execPath, all, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (words += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, words }));
  });
}

describe('the packaged app', function () {
  // Of the suite: the runner reads a test's own limit before the test can say it.
  this.timeout(limitMs);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-soak-'));
  before(function () {
    if (app === '') this.skip();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('loses nothing that it confirmed, whatever goes wrong, and goes on', async () => {
    const { code, words } = await bench('chaos', '--steps', String(faults), '--seed', '3');
    if (code !== 0) throw new Error(words);
    expect(words).toContain('nothing confirmed is missing');
  });

  it('is used for a while, and what it takes is written down', async () => {
    const { code, words } = await bench('soak', '--turns', '12', '--out', folder);
    if (code !== 0) throw new Error(words);
    const lines = readFileSync(path.join(folder, 'soak.csv'), 'utf8').trim().split('\n');
    expect(lines[0]).toMatch(/^seconds,turns,load,main,page,engine/);
    // An engine with a model open takes some hundred megabytes: zeros would be a column that measures nothing.
    const last = Object.fromEntries(
      (lines[0] ?? '').split(',').map((name, at) => [name, Number(lines.at(-1)?.split(',')[at])]),
    );
    for (const column of ['main', 'page', 'engine', 'openFiles', 'database'])
      expect(last[column]).toBeGreaterThan(0);
    expect(readFileSync(path.join(folder, 'soak.svg'), 'utf8')).toContain('<polyline');
  });
});
