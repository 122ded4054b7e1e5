import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { listModels } from '../../../src/library/models.ts';
import type { Spawn } from '../../../src/main/processes/child.ts';
import { DriveCheck, driveGiveUpMs, driveWaitMs } from '../../../src/main/processes/drive-check.ts';
import { killDrive } from '../../support/dead-drive.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { keeperSpawn } from '../support/decoder-process.ts';
import { temporaryFolder } from '../support/storage.ts';

function makeCheck(spawn: Spawn, clock: Clock, own = '/own') {
  const back: number[] = [];
  const check = new DriveCheck({
    ...{ spawn, clock, log: silentLogger },
    isOwn: (place) => place.startsWith(own),
    onBack: () => void back.push(1),
  });
  onTestFinished(() => check.close());
  return { check, back };
}

/** A model whose parts lie in a folder elsewhere. */
function writeModel(models: string, name: string, parts: string): void {
  const folder = path.join(models, name);
  mkdirSync(folder, { recursive: true });
  for (const part of ['vision', 'qformer', 'language']) {
    mkdirSync(path.join(parts, part), { recursive: true });
  }
  const qformerConfig = {
    ...{ numQueryTokens: 8, numHiddenLayers: 2, numAttentionHeads: 2, hiddenSize: 64 },
    intermediateSize: 128,
  };
  const at = (part: string): string => path.join(parts, part);
  const manifest = {
    ...{ name, licence: 'MIT', visionModel: at('vision'), qformer: at('qformer') },
    ...{ languageModel: at('language'), processor: at('vision'), imageDecoder: null },
    ...{ qformerConfig, maxSequenceLength: 256 },
  };
  writeFileSync(path.join(folder, 'textbind.json'), JSON.stringify(manifest));
}

/** The longest that this process did nothing else, until something has ended. Milliseconds. */
async function longestHold(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 20);
  await work;
  clearInterval(timer);
  return longest;
}

describe('whether drives answer', () => {
  test('what is the app’s own is not asked; others are asked together, and remembered for a while', async () => {
    const spawn = keeperSpawn();
    const { check, back } = makeCheck(spawn, systemClock);
    expect(await check.silent(['/own/a', '/own/b'])).toBeNull();
    expect(spawn.children).toHaveLength(0);
    const places = [temporaryFolder(), '/there/is/no/such/place'];
    const both = await Promise.all([check.silent(places), check.silent([import.meta.dirname])]);
    expect(both).toEqual([null, null]);
    expect(await check.silent(places)).toBeNull();
    expect(spawn.children).toHaveLength(1);
    expect([check.away(), back]).toEqual([[], []]);
  });

  test('a process that never answers is ended in time, and asked for anew', async () => {
    const spawn = keeperSpawn();
    const hanging: Spawn = () => {
      const child = spawn();
      process.kill(child.pid() ?? NaN, 'SIGSTOP');
      return child;
    };
    const clock = new FakeClock();
    const { check } = makeCheck(hanging, clock);
    for (const count of [1, 2]) {
      const asked = check.silent(['/elsewhere']);
      await new Promise((resolve) => setImmediate(resolve));
      expect(spawn.children).toHaveLength(count);
      const ended = new Promise<void>((resolve) => spawn.children.at(-1)?.onExit(() => resolve()));
      // It has not begun: how long that takes says nothing of a drive.
      clock.advance(driveWaitMs);
      clock.advance(driveGiveUpMs);
      expect(await asked).toBe('/elsewhere');
      await ended;
    }
  });

  test('where it cannot be started main goes there itself', async () => {
    const { check } = makeCheck(() => {
      throw new Error('no process is left');
    }, systemClock);
    expect(await check.silent(['/elsewhere'])).toBeNull();
  });
});

test('a dead drive holds nobody up: its models say so, the others are there, and it is told when it is back', async (context) => {
  const root = temporaryFolder();
  const [models, drive] = [path.join(root, 'models'), path.join(root, 'drive')];
  writeModel(models, 'away', drive);
  writeModel(models, 'here', path.join(root, 'elsewhere'));
  const revive = await killDrive(drive);
  if (revive === null) return context.skip('Nothing may be mounted here.');
  onTestFinished(revive);
  const { check, back } = makeCheck(keeperSpawn(), systemClock, models);
  const folders = [{ folder: models, embedded: false }];
  const list = () => listModels(folders, check.silent);
  const listing = list();
  expect(await longestHold(listing)).toBeLessThan(1000);
  expect((await listing).map(({ name, fault }) => [name, fault])).toEqual([
    ['away', expect.stringMatching(/drive\/vision does not answer/)],
    ['here', null],
  ]);
  expect(check.away()).toContain(path.join(drive, 'vision'));
  await revive();
  while (check.away().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(back.length).toBeGreaterThan(0);
  expect((await list()).map(({ fault }) => fault)).toEqual([null, null]);
  expect(check.away()).toEqual([]);
}, 60_000);
