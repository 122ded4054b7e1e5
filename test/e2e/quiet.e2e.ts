// Nothing is sent anywhere: every program that ships runs in a network of its own, where each look-up and connection
// would be written down, and in a fresh home, where each file outside its data folder would be found.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runUnshared, whyNotUnshared } from './harness/namespaces.ts';
import type { Report, Seen } from './quiet/namespace.ts';

const isRoot = process.getuid?.() === 0;
/** An ordinary user becomes root of a namespace of users, where the system lets them. */
const unshare = ['--net', '--mount', ...(isRoot ? [] : ['--map-root-user'])];
/** Under wdio.conf.ts's own, which would tell less. */
const limitMs = 275_000;

/** Why a network of its own cannot be had here; empty where it can. */
function whyNot(): string {
  const command = ['ip', 'link', 'set', 'lo', 'up'];
  return whyNotUnshared([...unshare, ...command], 'no network of its own here');
}

describe('the network', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-quiet-'));
  let report: Report = {};

  before(function () {
    const reason = whyNot();
    if (reason !== '') {
      console.log(`skipped: ${reason.trim()}`);
      this.skip();
    }
    const result = path.join(folder, 'report.json');
    const program = path.join(import.meta.dirname, 'quiet', 'namespace.ts');
    const node = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      program,
      folder,
      result,
    ];
    runUnshared([...unshare, ...node], limitMs);
    report = JSON.parse(readFileSync(result, 'utf8')) as Report;
  });

  after(() => {
    if (process.env['TEXTBIND_E2E_KEEP'] === undefined)
      rmSync(folder, { recursive: true, force: true });
  });

  /** What was seen of a program that did its work. */
  function seen(name: string): Seen {
    const found = report[name];
    if (found === undefined) throw new Error(`${name} was not run`);
    if (found.failure !== '') throw new Error(`${name} failed: ${found.failure}`);
    return found;
  }

  for (const name of ['commandLine', 'worker', 'shippedApp', 'usedApp', 'attackedApp']) {
    it(`is asked nothing by ${name}`, () => {
      const { recorded, reached, asked } = seen(name);
      expect(recorded).toEqual([]);
      expect(reached ?? []).toEqual([]);
      // Under attack WebRTC asks the system for its own address, and gets no further.
      if (name !== 'attackedApp') expect(asked ?? []).toEqual([]);
    });

    it(`${name} writes nothing outside its own folders`, () => {
      expect(seen(name).strayFiles).toEqual([]);
    });
  }

  // Those that WebDriver drives listen for it.
  for (const name of ['commandLine', 'worker', 'shippedApp']) {
    it(`cannot be reached: nothing of ${name} listens until it is switched on`, () => {
      expect(seen(name).listened).toEqual([]);
    });
  }

  it('would have seen a server', () => {
    expect(seen('plantedServer').listened).toEqual(['0100007F:2CEC']);
  });

  it('would have seen a look-up and a connection', () => {
    const { recorded, reached } = seen('plantedCall');
    expect(recorded).toContain('look-up of planted.example');
    expect(recorded.filter((event) => event.startsWith('connection to'))).toHaveLength(2);
    if (reached !== null) expect(reached).toContain('192.0.2.1 port 80');
  });

  it('would have seen the files of telemetry', () => {
    expect(seen('plantedTelemetry').strayFiles.join('\n')).toContain('onnxruntime/deviceid');
  });
});
