// From looking to installing, against a server of this test's own, with electron-updater, real keys and real files.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publicKeyOf, writeRelease } from '../../../scripts/pack/release.mjs';
import type { UpdateStatus } from '../../../src/shared/domain/update-status.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { isAllowed } from '../../../src/main/downloads/http.ts';
import { releaseName } from '../../../src/main/updates/release.ts';
import { createUpdater } from '../../../src/main/updates/updater.ts';
import { UpdateService } from '../../../src/main/updates/update-service.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../support/storage.ts';

const target = {
  platform: process.platform as 'linux',
  arch: process.arch as 'x64',
  kind: 'deb',
} as const;
const metadata = releaseName(target);
const packageName = 'textbind-studio_0.2.0_amd64.deb';
const bytes = 3_000_000;
const dayMs = 24 * 60 * 60 * 1000;

let server: Server;
let address = '';
let served = '';
let asked: { path: string; headers: IncomingHttpHeaders }[] = [];
/** After so many bytes of a package the connection breaks. */
let breakAfter: number | null = null;
let key: KeyObject;

beforeEach(async () => {
  served = temporaryFolder();
  asked = [];
  breakAfter = null;
  key = generateKeyPairSync('ed25519').privateKey;
  server = createServer((request, response) => {
    const file = path.join(served, path.basename(request.url ?? ''));
    asked.push({ path: request.url ?? '', headers: request.headers });
    if (!existsSync(file)) return response.writeHead(404).end();
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = readFileSync(file).subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length });
    if (breakAfter === null || !file.endsWith('.deb')) return response.end(body);
    return response.write(body.subarray(0, breakAfter), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/channel/`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Puts a version on the server. */
function release(version: string, signedBy: KeyObject | undefined = key): string {
  const file = path.join(served, packageName);
  writeFileSync(file, Buffer.alloc(bytes, version));
  const releasedAt = '2026-11-24T00:00:00.000Z';
  writeRelease({
    output: served,
    packages: [{ file, kind: 'deb' }],
    version,
    releasedAt,
    key: signedBy,
  });
  return file;
}

function change(name: string, how: (text: string) => string): void {
  const file = path.join(served, name);
  writeFileSync(file, how(readFileSync(file, 'utf8')));
}

interface Told {
  readonly service: UpdateService;
  readonly clock: FakeClock;
  readonly states: UpdateStatus['state'][];
  readonly installed: string[];
  readonly folder: string;
  busy: string | null;
  mayLook: boolean;
  restarts: number;
}

function begin(version = '0.1.0'): Told {
  const folder = path.join(temporaryFolder(), 'updates');
  const clock = new FakeClock();
  const states: UpdateStatus['state'][] = [];
  const installed: string[] = [];
  const source = { address, publicKey: publicKeyOf(key), target };
  const service = new UpdateService({
    updater: () =>
      createUpdater({
        source,
        version,
        folder,
        log: silentLogger,
        quit: () => undefined,
        installDeb: async (file) => void installed.push(file),
      }),
    mayLook: () => told.mayLook,
    busyWith: () => told.busy,
    onStatus: ({ state }) => void (states.at(-1) === state || states.push(state)),
    restart: () => void (told.restarts += 1),
    clock,
    log: silentLogger,
  });
  const told: Told = {
    service,
    clock,
    states,
    installed,
    folder,
    busy: null,
    mayLook: false,
    restarts: 0,
  };
  return told;
}

describe('an update', () => {
  test('is found, fetched, compared and installed, and the app starts anew', async () => {
    const file = release('0.2.0');
    const told = begin();
    expect(await told.service.look()).toEqual({ state: 'available', version: '0.2.0', bytes });
    expect(await told.service.download()).toEqual({ state: 'ready', version: '0.2.0' });
    await told.service.install();
    expect(told.installed).toHaveLength(1);
    expect(readFileSync(told.installed[0]!).equals(readFileSync(file))).toBe(true);
    expect(told.restarts).toBe(1);
    expect(told.states).toEqual(['looking', 'available', 'downloading', 'ready', 'installing']);
  });

  test('asks for three files, and says nothing of who asks', async () => {
    release('0.2.0');
    const { service } = begin();
    await service.look();
    await service.download();
    expect(asked.map((each) => each.path)).toEqual([
      `/channel/${metadata}`,
      `/channel/${metadata}.sig`,
      `/channel/${packageName}`,
    ]);
    for (const { headers } of asked)
      expect(Object.keys(headers).sort()).toEqual(['connection', 'host']);
  });

  test('that is interrupted goes on where it was', async () => {
    release('0.2.0');
    const { service } = begin();
    await service.look();
    breakAfter = 1_000_000;
    const broken = await service.download();
    expect(broken).toMatchObject({ state: 'failed' });
    expect(JSON.stringify(broken)).toContain('is kept: try again');
    breakAfter = null;
    await service.look();
    expect(await service.download()).toEqual({ state: 'ready', version: '0.2.0' });
    const ranges = asked.flatMap(({ headers }) => headers.range ?? []);
    expect(ranges).toHaveLength(1);
    expect(Number(/\d+/.exec(ranges[0]!)?.[0])).toBeGreaterThan(0);
  });

  test('that a person stops is offered again', async () => {
    release('0.2.0');
    const told = begin();
    await told.service.look();
    breakAfter = 1000;
    const download = told.service.download();
    told.service.stop();
    expect(await download).toMatchObject({ state: 'available', version: '0.2.0' });
  });

  test('whose file was changed on the server is deleted', async () => {
    const file = release('0.2.0');
    const changed = readFileSync(file);
    changed[bytes / 2]! ^= 1;
    writeFileSync(file, changed);
    const told = begin();
    await told.service.look();
    expect(await told.service.download()).toMatchObject({ state: 'failed' });
    expect(existsSync(path.join(told.folder, 'partial', `${packageName}.part`))).toBe(false);
    await expect(told.service.install()).rejects.toThrow('Download the update first');
    expect(told.installed).toEqual([]);
  });

  test('whose file is longer than signed is not read to its end', async () => {
    appendFileSync(release('0.2.0'), Buffer.alloc(10_000_000));
    const told = begin();
    await told.service.look();
    expect(await told.service.download()).toMatchObject({ state: 'failed' });
    const part = path.join(told.folder, 'partial', `${packageName}.part`);
    expect(!existsSync(part) || statSync(part).size <= bytes).toBe(true);
  });

  test('that was changed on the disk after it was fetched is not installed', async () => {
    release('0.2.0');
    const told = begin();
    await told.service.look();
    await told.service.download();
    appendFileSync(path.join(told.folder, 'downloads/pending', packageName), 'x');
    expect(await told.service.install()).toMatchObject({ state: 'failed' });
    expect(told.installed).toEqual([]);
    expect(told.restarts).toBe(0);
  });

  test.each<[string, () => void]>([
    ['is not signed', () => change(`${metadata}.sig`, () => '')],
    [
      'is signed by another',
      () => void release('0.2.0', generateKeyPairSync('ed25519').privateKey),
    ],
    ['was changed in one letter', () => change(metadata, (text) => text.replace('0.2.0', '0.3.0'))],
  ])('whose metadata %s is refused', async (_what, spoil) => {
    release('0.2.0');
    spoil();
    const { service } = begin();
    const status = await service.look();
    expect(JSON.stringify(status)).toContain('does not carry our signature');
    expect(asked.some((each) => each.path.endsWith('.deb'))).toBe(false);
  });

  test('for another machine, though signed, is refused', async () => {
    release('0.2.0');
    // Signed again, as a thief of the server with an old file of ours could have it.
    const file = path.join(served, packageName);
    const other = temporaryFolder();
    mkdirSync(other, { recursive: true });
    const releasedAt = '2026-11-24T00:00:00.000Z';
    const packages = [{ file, kind: 'AppImage' }];
    const [, name] = writeRelease({ output: other, packages, version: '9.0.0', releasedAt, key });
    writeFileSync(path.join(served, metadata), readFileSync(name!));
    writeFileSync(path.join(served, `${metadata}.sig`), readFileSync(`${name!}.sig`));
    const { service } = begin();
    expect(JSON.stringify(await service.look())).toContain('AppImage');
  });

  test.each(['0.1.0', '0.0.9', '0.2.0-beta.1'])('to %s is none for 0.2.0', async (older) => {
    release(older);
    const { service } = begin('0.2.0');
    expect(await service.look()).toMatchObject({ state: 'idle' });
    await expect(service.download()).rejects.toThrow('Look for a version first');
  });
});

describe('without a word of the person', () => {
  test('nothing is asked, for days', async () => {
    release('0.2.0');
    const told = begin();
    told.service.start();
    told.clock.advance(10 * dayMs);
    await told.service.look();
    // The one that was asked for, and no other.
    expect(asked).toHaveLength(2);
  });

  test('that is given once, it is looked for daily, and never fetched', async () => {
    release('0.2.0');
    const told = begin();
    told.mayLook = true;
    told.service.start();
    told.clock.advance(dayMs);
    await expect.poll(() => told.service.status().state).toBe('available');
    expect(asked.some((each) => each.path.endsWith('.deb'))).toBe(false);
  });
});

describe('during a reply or a training run', () => {
  test('nothing is looked for and nothing is installed', async () => {
    release('0.2.0');
    const told = begin();
    told.mayLook = true;
    told.busy = 'A reply is being written.';
    told.service.start();
    told.clock.advance(3 * dayMs);
    expect(asked).toEqual([]);
    await told.service.look();
    await told.service.download();
    await expect(told.service.install()).rejects.toMatchObject({ kind: 'busy' });
    expect(told.installed).toEqual([]);
    told.busy = null;
    await told.service.install();
    expect(told.installed).toHaveLength(1);
  });
});

test('no address but https, and this machine', () => {
  const allowed = (each: string): boolean => isAllowed(new URL(each));
  expect(allowed('https://updates.example/a')).toBe(true);
  expect(allowed('http://127.0.0.1:1/a')).toBe(true);
  expect(allowed('http://updates.example/a')).toBe(false);
  expect(allowed('http://127.0.0.1.example/a')).toBe(false);
  expect(allowed('file:///etc/passwd')).toBe(false);
});
