// Whole files out of a hub that behaves badly: it drops, stalls, lies, corrupts, refuses and changes its mind.
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DownloadFault } from '../../../src/main/downloads/fault.ts';
import {
  fetchFile,
  usualLimits,
  type FetchOptions,
} from '../../../src/main/downloads/fetch-file.ts';
import { listRepository, planOf } from '../../../src/main/downloads/hub.ts';
import type { FilePlan } from '../../../src/main/downloads/plan.ts';
import { planTensors } from '../../../src/main/downloads/tensor-ranges.ts';
import {
  openCheckpoint,
  readTensorBytes,
  writeSafetensors,
} from '../../../src/worker/weights/index.ts';
import { Hub, type HubFault } from '../../support/hub.ts';
import { randomNumbers } from '../../worker/hostile/mutate.ts';
import { temporaryFolder } from '../support/storage.ts';

const repository = 'test/model';
const name = 'model.safetensors';
const partBytes = 16 * 1024;
const scripts = Number(process.env['TEXTBIND_DOWNLOAD_SCRIPTS'] ?? 200);

const hub = new Hub();
let told: number[] = [];
beforeAll(() => hub.start());
afterAll(() => hub.stop());
beforeEach(() => {
  hub.reset();
  told = [];
});

function bytes(count: number, seed = 1): Buffer {
  const random = randomNumbers(seed);
  return Buffer.from(Uint8Array.from({ length: count }, () => Math.floor(random() * 256)));
}

function options(more: Partial<FetchOptions> = {}): FetchOptions {
  return {
    signal: new AbortController().signal,
    headersFor: () => ({}),
    proxy: null,
    silenceMs: 60,
    limits: {
      ...usualLimits,
      partBytes,
      tries: 3,
      firstWaitMs: 1,
      lastWaitMs: 2,
      saveMs: 0,
      reserveBytes: 0,
    },
    wait: async (_ms, signal) => signal.throwIfAborted(),
    freeBytes: async () => Number.MAX_SAFE_INTEGER,
    onReceived: (received) => told.push(received),
    ...more,
  };
}

const reach = () => ({ hub: hub.address, signal: new AbortController().signal });

async function listed(file = name): Promise<FilePlan> {
  const found = await listRepository(repository, 'main', reach());
  const entry = found.files.find((each) => each.path === file);
  if (entry === undefined) throw new Error(`${file} is not listed`);
  return planOf(hub.address, found, entry);
}

async function faultOf(promise: Promise<unknown>): Promise<DownloadFault> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DownloadFault);
  return error as DownloadFault;
}

/** The answers about pieces of files, in order. */
const pieces = () => hub.requests.filter((request) => request.path.startsWith('/cdn/'));

test('a file comes in parts, several at once, is checked, and leaves nothing beside it', async () => {
  const content = bytes(5 * partBytes + 7);
  hub.put(repository, { 'config.json': '{}', [name]: content, 'a b/c#d.txt': 'small', empty: '' });
  const folder = temporaryFolder();
  const found = await listRepository(repository, 'main', reach());
  for (const file of found.files)
    await fetchFile(folder, planOf(hub.address, found, file), options());
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
  expect(readFileSync(path.join(folder, 'a b/c#d.txt'), 'utf8')).toBe('small');
  expect(readdirSync(folder).sort()).toEqual(['a b', 'config.json', 'empty', name]);
  expect(new Set(pieces().map(({ range }) => range)).size).toBe(6 + 2);
  expect(told.at(-1)).toBe(0);
  expect(Math.max(...told)).toBe(content.length);
});

test('what was there before a quit is not fetched again', async () => {
  const content = bytes(8 * partBytes);
  hub.put(repository, { [name]: content });
  const folder = temporaryFolder();
  const plan = await listed();
  const quit = new AbortController();
  hub.paceMs = 1;
  hub.paceBytes = 4096;
  const stopped = fetchFile(
    folder,
    plan,
    options({
      signal: quit.signal,
      onReceived: (received) => received > 5 * partBytes && quit.abort(new Error('quit')),
    }),
  );
  await expect(stopped).rejects.toThrow('quit');
  const before = hub.sentBytes;
  expect(existsSync(path.join(folder, name))).toBe(false);
  hub.paceMs = 0;
  await fetchFile(folder, plan, options());
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
  // What was on the way when it was stopped may come twice: some pieces, not parts.
  expect(hub.sentBytes - before).toBeLessThan(3 * partBytes + 5 * 4096);
});

test('what a crash took from the disk is noticed and that part alone fetched again', async () => {
  const content = bytes(8 * partBytes);
  hub.put(repository, { [name]: content });
  const folder = temporaryFolder();
  const plan = await listed();
  // The last part never comes: seven are whole.
  hub.fault = ({ range }) =>
    range?.startsWith(`bytes=${7 * partBytes}`) ? { kind: 'status', status: 503 } : null;
  expect(
    (
      await faultOf(
        fetchFile(folder, plan, options({ limits: { ...options().limits, connections: 1 } })),
      )
    ).kind,
  ).toBe('network');
  const part = path.join(folder, `${name}.part`);
  const onDisk = readFileSync(part);
  onDisk.fill(0, 2 * partBytes + 100, 2 * partBytes + 200);
  writeFileSync(part, onDisk);
  hub.fault = () => null;
  hub.requests.length = 0;
  const sent = hub.sentBytes;
  await fetchFile(folder, plan, options());
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
  expect(hub.sentBytes - sent).toBe(2 * partBytes);
});

test('bytes that were changed on the way are found, and that part alone is put right', async () => {
  const content = bytes(6 * partBytes);
  hub.put(repository, { [name]: content });
  let once = true;
  hub.fault = ({ range }) => {
    if (!once || range?.startsWith(`bytes=${3 * partBytes}-`) !== true) return null;
    once = false;
    return { kind: 'corrupt', at: 77 };
  };
  const folder = temporaryFolder();
  await fetchFile(folder, await listed(), options());
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
  // Each of the first four a second time, the one that differs a third time; those behind it not again.
  expect(hub.sentBytes).toBe((6 + 4 + 1) * partBytes);
  expect(readdirSync(folder)).toEqual([name]);
});

test('what the hub itself has wrong is told, and not gone on with', async () => {
  const content = bytes(3 * partBytes);
  hub.put(repository, { [name]: content });
  const plan = await listed();
  hub.fault = () => ({ kind: 'corrupt', at: 5 });
  const folder = temporaryFolder();
  expect(await faultOf(fetchFile(folder, plan, options()))).toMatchObject({ kind: 'wrong' });
  expect(readdirSync(folder)).toEqual([]);
});

test('a server without ranges gives the file over one connection', async () => {
  const content = bytes(4 * partBytes + 3);
  hub.put(repository, { [name]: content });
  hub.fault = () => ({ kind: 'whole' });
  const folder = temporaryFolder();
  await fetchFile(folder, await listed(), options());
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
});

test('refusals, vanished files and a full disk are told apart, and the download goes on after each', async () => {
  const content = bytes(2 * partBytes);
  hub.put(repository, { [name]: content }, { gated: true });
  const folder = temporaryFolder();
  const plan = await listed();
  const stranger = await faultOf(fetchFile(folder, plan, options()));
  expect(stranger.kind).toBe('refused');
  expect(stranger.message).toContain('token');
  const headersFor = () => ({ authorization: 'Bearer wrong' });
  const other = await faultOf(fetchFile(folder, plan, options({ headersFor })));
  expect(other.kind).toBe('refused');
  expect(other.message).toContain('terms');
  const known = { headersFor: () => ({ authorization: `Bearer ${hub.token}` }) };
  const limits = { ...options().limits, reserveBytes: 1000 };
  const full = await faultOf(
    fetchFile(folder, plan, options({ ...known, limits, freeBytes: async () => 2 * partBytes })),
  );
  expect(full.kind).toBe('full');
  expect(full.message).toContain('free');
  hub.fault = () => ({ kind: 'status', status: 404 });
  expect((await faultOf(fetchFile(folder, plan, options(known)))).kind).toBe('gone');
  hub.fault = () => null;
  await fetchFile(folder, plan, options(known));
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
  // The host that has the bytes never hears who asks.
  expect(pieces().every(({ authorization }) => authorization === null)).toBe(true);
});

test('a disk that fills up meanwhile stops it, and what came stays', async () => {
  const content = bytes(6 * partBytes);
  hub.put(repository, { [name]: content });
  const folder = temporaryFolder();
  const limits = { ...options().limits, reserveBytes: 1000 };
  let free = Number.MAX_SAFE_INTEGER;
  const full = await faultOf(
    fetchFile(
      folder,
      await listed(),
      options({
        limits,
        freeBytes: async () => free,
        onReceived: (received) => {
          if (received > 3 * partBytes) free = 999;
        },
      }),
    ),
  );
  expect(full.kind).toBe('full');
  const before = hub.sentBytes;
  await fetchFile(folder, await listed(), options({ limits }));
  expect(readFileSync(path.join(folder, name)).equals(content)).toBe(true);
  expect(hub.sentBytes - before).toBeLessThan(4 * partBytes);
});

test('only the tensors that are wanted are fetched, out of several shards', async () => {
  const folder = temporaryFolder();
  const tensor = (label: string, count: number, seed: number) => ({
    name: label,
    dtype: 'float32' as const,
    shape: [count],
    bytes: new Uint8Array(bytes(4 * count, seed)),
  });
  const shards = {
    'model-00001-of-00002.safetensors': [
      tensor('language_model.a', 40_000, 1),
      tensor('query_tokens', 96, 2),
      tensor('vision_model.a', 9000, 3),
      tensor('vision_model.b', 300, 4),
      tensor('language_model.b', 30_000, 5),
    ],
    'model-00002-of-00002.safetensors': [
      tensor('language_model.c', 50_000, 6),
      tensor('vision_model.c', 700, 7),
    ],
  };
  const map: Record<string, string> = {};
  const files: Record<string, Buffer> = {};
  for (const [file, tensors] of Object.entries(shards)) {
    writeSafetensors(path.join(folder, file), tensors);
    files[file] = readFileSync(path.join(folder, file));
    for (const each of tensors) map[each.name] = file;
  }
  const index = 'model.safetensors.index.json';
  hub.put(repository, { ...files, [index]: JSON.stringify({ weight_map: map }) });
  const found = await listRepository(repository, 'main', reach());
  const wanted = { prefixes: ['vision_model.', 'query_tokens'], from: index, file: name };
  const plan = await planTensors(wanted, found, reach());
  hub.sentBytes = 0;
  let broken = 0;
  hub.fault = () => (broken++ % 2 === 0 ? { kind: 'drop', after: 1000 } : null);
  const out = path.join(folder, 'out');
  await fetchFile(out, plan, options());
  const written = openCheckpoint(path.join(out, name));
  expect([...written.names()].sort()).toEqual([
    'query_tokens',
    'vision_model.a',
    'vision_model.b',
    'vision_model.c',
  ]);
  for (const each of Object.values(shards).flat()) {
    if (each.name.startsWith('language')) continue;
    expect(Buffer.from(readTensorBytes(written, each.name)).equals(each.bytes), each.name).toBe(
      true,
    );
  }
  const wantedBytes = 4 * (96 + 9000 + 300 + 700);
  expect(statSync(path.join(out, name)).size).toBeLessThan(wantedBytes + 1000);
  expect(hub.sentBytes).toBeLessThan(2 * wantedBytes);
});

/** Pieces of two versions, of which nobody could tell later. */
test('tensors of a file that changed meanwhile are not mixed', async () => {
  const folder = temporaryFolder();
  const make = (seed: number): Buffer => {
    const file = path.join(folder, `of-${seed}.safetensors`);
    const shape = [8 * partBytes];
    writeSafetensors(file, [
      {
        name: 'vision_model.a',
        dtype: 'uint8',
        shape,
        bytes: new Uint8Array(bytes(8 * partBytes, seed)),
      },
    ]);
    return readFileSync(file);
  };
  hub.put(repository, { [name]: make(1) });
  const found = await listRepository(repository, 'main', reach());
  const plan = await planTensors(
    { prefixes: ['vision'], from: name, file: 'out.safetensors' },
    found,
    reach(),
  );
  let answers = 0;
  hub.fault = () => ((answers += 1) === 4 ? { kind: 'change', content: make(2) } : null);
  expect((await faultOf(fetchFile(folder, plan, options()))).kind).toBe('changed');
  await fetchFile(folder, plan, options());
  const written = openCheckpoint(path.join(folder, 'out.safetensors'));
  expect(
    Buffer.from(readTensorBytes(written, 'vision_model.a')).equals(bytes(8 * partBytes, 2)),
  ).toBe(true);
});

function randomFault(random: () => number, size: number): HubFault {
  const some = (most: number): number => Math.floor(random() * most);
  const statuses = [401, 403, 404, 416, 429, 500, 503];
  switch (some(9)) {
    case 0:
      return { kind: 'drop', after: some(partBytes) };
    case 1:
      return { kind: 'stall', after: some(partBytes) };
    case 2:
      return { kind: 'lie', by: some(2 * partBytes) - partBytes };
    case 3:
      return { kind: 'corrupt', at: some(partBytes) };
    case 4:
      return { kind: 'whole' };
    case 5:
      return { kind: 'shifted' };
    case 6:
      return { kind: 'page' };
    case 7:
      return { kind: 'change', content: bytes(Math.max(1, size + some(3) - 1), some(1000)) };
    default:
      return { kind: 'status', status: statuses[some(statuses.length)] ?? 503, retryAfter: '0' };
  }
}

/** What a crash may leave behind a journal that was written before: an end that is missing, bytes that are not there. */
function crash(random: () => number, file: string): void {
  const part = `${file}.part`;
  if (!existsSync(part)) return;
  const { size } = statSync(part);
  const at = Math.floor(random() * size);
  if (random() < 0.5) return truncateSync(part, at);
  const onDisk = readFileSync(part);
  onDisk.fill(0, at, Math.min(at + 200, size));
  writeFileSync(part, onDisk);
}

test(`${scripts} random fault scripts end in a verified file, each stop on the way in a clear state`, async () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < scripts; seed += 1) {
    const random = randomNumbers(seed);
    const size = 1 + Math.floor(random() * 7 * partBytes);
    hub.put(repository, { 'README.md': 'text', [name]: bytes(size, seed) });
    let left = Math.floor(random() * 12);
    hub.fault = () =>
      left > 0 && random() < 0.6 ? ((left -= 1), randomFault(random, size)) : null;
    const folder = temporaryFolder();
    const file = path.join(folder, name);
    let rounds = 0;
    for (; !existsSync(file); rounds += 1) {
      // 12 faults, each of which ends a round at most.
      expect(rounds, `seed ${seed}`).toBeLessThan(40);
      const quit = new AbortController();
      const quitAt = random() < 0.3 ? random() * size : Number.POSITIVE_INFINITY;
      const onReceived = (received: number): void => {
        if (received > quitAt) quit.abort(new Error('quit'));
      };
      // Asked again each time: after "changed" that is the mend, else it gives the same.
      const error = await fetchFile(
        folder,
        await listed(),
        options({ signal: quit.signal, onReceived }),
      ).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error instanceof DownloadFault) {
        kinds.add(error.kind);
        expect(error.message, `seed ${seed}`).toMatch(/\.$/);
      } else if (error !== null) expect(error, `seed ${seed}`).toMatchObject({ message: 'quit' });
      if (error !== null && random() < 0.3) crash(random, file);
    }
    const truth = hub.repositories.get(repository)?.files.get(name);
    expect(truth?.equals(readFileSync(file)), `seed ${seed}`).toBe(true);
    expect(readdirSync(folder), `seed ${seed}`).toEqual([name]);
  }
  if (scripts < 200) return;
  expect([...kinds]).toEqual(expect.arrayContaining(['refused', 'gone', 'changed', 'network']));
  expect(kinds.has('disk')).toBe(false);
}, 600_000);
