// Models on the disk as a person manages them: renamed, checked, moved to another drive, deleted with what depends on them.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { listModels } from '../../../src/library/models.ts';
import { readModelFolder } from '../../../src/library/model-folder.ts';
import { partFolders, writePart } from '../../../src/library/parts.ts';
import { ModelStore } from '../../../src/main/models/model-store.ts';
import { settleMove } from '../../../src/main/models/move-model.ts';
import { temporaryFolder } from '../support/storage.ts';

const qformerConfig = {
  ...{ numQueryTokens: 4, numHiddenLayers: 2, numAttentionHeads: 2, hiddenSize: 32 },
  intermediateSize: 48,
};

function write(file: string, bytes: Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

function fetchedPart(parts: string, id: string, role: 'language' | 'vision', size: number): string {
  const folder = path.join(parts, `${id}@0123456789ab`);
  const bytes = Buffer.alloc(size, id);
  write(path.join(folder, 'deep', 'model.safetensors'), bytes);
  const hex = createHash('sha256').update(bytes).digest('hex');
  const digest = { algorithm: 'sha256' as const, hex };
  const files = [{ path: 'deep/model.safetensors', bytes: size, digest }];
  writePart(folder, {
    ...{ id, role, name: `Part ${id}`, repository: `test/${id}`, commit: '0'.repeat(40) },
    ...{ licence: 'MIT', files },
  });
  return folder;
}

/** Two models: both use one language part, the first has a vision part and a Q-Former of its own. */
function makeLibrary() {
  const root = temporaryFolder();
  const [models, parts] = [path.join(root, 'data', 'models'), path.join(root, 'data', 'parts')];
  const language = fetchedPart(parts, 'language', 'language', 3_000_000);
  const vision = fetchedPart(parts, 'vision', 'vision', 2_000_000);
  const one = path.join(models, 'one');
  const two = path.join(models, 'two');
  const outside = path.join(root, 'outside');
  write(path.join(one, 'qformer', 'model.safetensors'), Buffer.alloc(500_000, 'q'));
  write(path.join(one, '.cache', 'graph.onnx'), Buffer.alloc(10));
  mkdirSync(path.join(one, 'qformer', 'nothing'));
  write(path.join(outside, 'preprocessor_config.json'), Buffer.from('{}'));
  const manifest = {
    ...{ licence: 'none', languageModel: language, processor: outside, imageDecoder: null },
    ...{ qformerConfig, maxPicturesPerReply: 4, maxSequenceLength: 128 },
  };
  const own = { name: 'One', visionModel: vision, qformer: 'qformer/model.safetensors' };
  write(path.join(one, 'textbind.json'), Buffer.from(JSON.stringify({ ...manifest, ...own })));
  const other = { name: 'Two', visionModel: outside, qformer: path.join(language, 'deep', 'model.safetensors') };
  write(path.join(two, 'textbind.json'), Buffer.from(JSON.stringify({ ...manifest, ...other })));
  const told: string[][] = [];
  const store = new ModelStore({
    ...{ models, parts, onImporting: () => undefined, onChange: () => undefined },
    conversion: { ask: () => Promise.reject(new Error('not asked here')) },
    onMoved: (folders) => Promise.resolve(void told.push([...folders])),
  });
  const drive = path.join(root, 'drive');
  mkdirSync(drive);
  return { root, models, parts, language, vision, one, two, outside, drive, store, told };
}

/** Every byte of a model, by what textbind.json calls it; what is missing throws. */
function contentOf(model: string): Record<string, string> {
  const { visionModel, qformer, languageModel, processor } = readModelFolder(model);
  const hash = (place: string): string => {
    const names = readdirSync(place, { recursive: true, withFileTypes: true });
    const files = names.filter((each) => each.isFile() && each.name !== 'part.json');
    const sum = createHash('sha256');
    for (const { name, parentPath } of files.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      sum.update(name).update(readFileSync(path.join(parentPath, name)));
    }
    return sum.digest('hex');
  };
  const file = qformer.map((each) => path.dirname(each)).map(hash);
  return { vision: hash(visionModel), language: hash(languageModel), q: file.join(), p: hash(processor) };
}

const quiet = { withShared: false, onBytes: () => undefined };

test('a model moves with what is its own; what another uses stays, and is told', async () => {
  const { store, one, two, drive, language, vision, models, parts, told } = makeLibrary();
  const before = [contentOf(one), contentOf(two)];
  const { plan, shared, freeBytes } = await store.movePlan(one, drive, false);
  expect(shared.map(({ name, usedBy }) => [name, usedBy])).toEqual([['Part language', ['Two']]]);
  expect(plan.bytes).toBeGreaterThan(2_500_000);
  expect(plan.bytes).toBeLessThan(2_501_000);
  expect(freeBytes).toBeGreaterThan(1e6);
  const seen: number[] = [];
  await store.move(one, drive, { withShared: false, onBytes: (bytes) => void seen.push(bytes) });
  expect(seen.at(-1)).toBe(plan.bytes);
  expect([contentOf(one), contentOf(two)]).toEqual(before);
  const { visionModel, qformer, languageModel } = readModelFolder(one);
  const home = path.join(drive, 'TextBind Studio');
  expect(visionModel).toBe(path.join(home, 'parts', path.basename(vision)));
  expect(qformer).toEqual([path.join(home, 'models', 'one', 'qformer', 'model.safetensors')]);
  expect(languageModel).toBe(language);
  expect(existsSync(vision)).toBe(false);
  expect(readdirSync(one).sort()).toEqual(['moved.json', 'textbind.json']);
  expect(told).toEqual([[one]]);
  // It is still known for what it is: counted, checked, and found again by the next download.
  expect(partFolders(parts)).toContain(visionModel);
  const [summary] = await listModels([{ folder: models, embedded: false }]);
  expect(summary).toMatchObject({ name: 'One', fault: null, home: path.dirname(path.dirname(qformer[0]!)) });
  expect(summary?.bytesOnDisk).toBeGreaterThan(5_500_000);
});

test('what is shared moves where that is wished, and the other model finds it', async () => {
  const { store, one, two, drive, language, told } = makeLibrary();
  const before = [contentOf(one), contentOf(two)];
  await store.move(one, drive, { ...quiet, withShared: true });
  expect([contentOf(one), contentOf(two)]).toEqual(before);
  const there = path.join(drive, 'TextBind Studio', 'parts', path.basename(language));
  expect([readModelFolder(one), readModelFolder(two)].map((each) => each.languageModel)).toEqual([there, there]);
  expect(readModelFolder(two).qformer).toEqual([path.join(there, 'deep', 'model.safetensors')]);
  expect(told).toEqual([[one, two]]);
  // And back: nothing of ours is left on the drive.
  await store.move(one, null, { ...quiet, withShared: true });
  expect([contentOf(one), contentOf(two)]).toEqual(before);
  expect(readModelFolder(two).languageModel).toBe(language);
  expect(readdirSync(drive)).toEqual([]);
  expect(readdirSync(one).sort()).toEqual(['qformer', 'textbind.json']);
});

test('a moved model is deleted with what lies elsewhere; what another uses stays', async () => {
  const { store, one, two, drive } = makeLibrary();
  await store.move(one, drive, { ...quiet, withShared: true });
  const removal = await store.removal(one);
  expect(removal.ownBytes).toBeGreaterThan(500_000);
  const before = contentOf(two);
  await store.remove(one);
  expect(existsSync(one)).toBe(false);
  expect(contentOf(two)).toEqual(before);
  const left = readdirSync(drive, { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => /vision|qformer/.test(name))).toEqual([]);
});

test('stopped in the middle, nothing has changed and nothing is left', async () => {
  const { store, one, drive, told } = makeLibrary();
  const before = contentOf(one);
  const moving = store.move(one, drive, {
    withShared: false,
    onBytes: (bytes) => bytes > 1e6 && store.stopMoving(),
  });
  await expect(moving).rejects.toMatchObject({ kind: 'cancelled' });
  expect(contentOf(one)).toEqual(before);
  expect(readdirSync(drive)).toEqual([]);
  expect(readdirSync(one).sort()).toEqual(['.cache', 'qformer', 'textbind.json']);
  expect(told).toEqual([]);
});

test('it is refused where it cannot be, with a sentence, and while another is under way', async () => {
  const { store, one, two, drive, root, outside } = makeLibrary();
  const kinds = async (work: Promise<unknown>) => work.then(() => 'done', (error: { kind: string }) => error.kind);
  expect(await kinds(store.move(one, path.join(root, 'none'), quiet))).toBe('bad-input');
  expect(await kinds(store.move(one, path.join(root, 'data'), quiet))).toBe('bad-input');
  expect(await kinds(store.move(outside, drive, quiet))).toBe('bad-input');
  // Two has no bytes of its own.
  expect(await kinds(store.move(two, drive, quiet))).toBe('bad-input');
  const moving = store.move(one, drive, quiet);
  expect(await kinds(store.move(two, drive, quiet))).toBe('busy');
  expect(await kinds(store.remove(one))).toBe('busy');
  await moving;
  const taken = path.join(drive, 'TextBind Studio', 'models', 'two');
  mkdirSync(path.join(taken, 'own.bin'), { recursive: true });
  write(path.join(two, 'own.bin'), Buffer.alloc(10));
  expect(await kinds(store.move(two, drive, quiet))).toBe('storage');
  expect(existsSync(path.join(two, 'own.bin'))).toBe(true);
});

const kills = ['1', '400000', '1100000', '1900000', '2400000', '2500000', 'switched'];
test.each(kills)('killed after %s, nothing is lost, and the next start ends it', async (killAt) => {
  const { store, one, two, drive, parts, root } = makeLibrary();
  const before = [contentOf(one), contentOf(two)];
  const { plan } = await store.movePlan(one, drive, false);
  const file = path.join(root, 'plan.json');
  writeFileSync(file, JSON.stringify(plan));
  const signal = await new Promise((resolve) => {
    const child = path.join(import.meta.dirname, 'move-child.ts');
    execFile(process.execPath, [child, file, parts, killAt], (error) => resolve(error?.signal));
  });
  expect(signal).toBe('SIGKILL');
  expect([contentOf(one), contentOf(two)]).toEqual(before);
  const changed = settleMove(one, parts);
  expect([contentOf(one), contentOf(two)]).toEqual(before);
  expect(existsSync(path.join(one, 'moving.json'))).toBe(false);
  const isMoved = killAt === 'switched';
  expect(changed).toEqual(isMoved ? [one] : []);
  expect(readdirSync(drive)).toEqual(isMoved ? ['TextBind Studio'] : []);
  expect(existsSync(plan.items[0]!.from)).toBe(!isMoved);
  // And it can be moved again.
  await store.move(one, isMoved ? null : drive, quiet);
  expect([contentOf(one), contentOf(two)]).toEqual(before);
});

test('a drive that is away at the next start is waited for', async () => {
  const { store, one, drive, parts, root } = makeLibrary();
  const before = contentOf(one);
  const { plan } = await store.movePlan(one, drive, false);
  const file = path.join(root, 'plan.json');
  writeFileSync(file, JSON.stringify(plan));
  await new Promise((resolve) => {
    const child = path.join(import.meta.dirname, 'move-child.ts');
    execFile(process.execPath, [child, file, parts, '1100000'], () => resolve(null));
  });
  rmSync(drive, { recursive: true });
  expect(settleMove(one, parts)).toEqual([]);
  expect(existsSync(path.join(one, 'moving.json'))).toBe(true);
  expect(contentOf(one)).toEqual(before);
  mkdirSync(drive);
  settleMove(one, parts);
  expect(existsSync(path.join(one, 'moving.json'))).toBe(false);
});

test('a name is changed in one place, and the parts are read again byte by byte', async () => {
  const { store, one, vision, models } = makeLibrary();
  store.rename(one, 'Another name');
  const [summary] = await listModels([{ folder: models, embedded: false }]);
  expect(summary?.name).toBe('Another name');
  const weights = path.join(vision, 'deep', 'model.safetensors');
  const bytes = readFileSync(weights);
  bytes[1_000_000]! ^= 1;
  writeFileSync(weights, bytes);
  expect(await store.verify(one, () => undefined)).toEqual([expect.stringContaining('not as it was fetched')]);
  rmSync(weights);
  expect(await store.verify(one, () => undefined)).toEqual([expect.stringContaining('no bytes')]);
});

test('deleting takes parts that nothing else uses, and no others', async () => {
  const { store, one, two, language, vision, outside } = makeLibrary();
  const { parts } = await store.removal(one);
  expect(parts.map(({ name, usedBy }) => [name, usedBy.length])).toEqual([
    ['Part language', 1],
    ['Part vision', 0],
  ]);
  await store.remove(one);
  expect([one, vision, language, outside].map(existsSync)).toEqual([false, false, true, true]);
  await expect(store.removePart(language)).rejects.toMatchObject({ kind: 'bad-input' });
  await store.remove(two);
  expect(existsSync(language)).toBe(false);
});
