// A run that goes to another machine in a folder and comes back: real folders and processes, a trainer that plays a part.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { packRun, takeBack } from '../../../src/main/training/elsewhere.ts';
import { createRun, openScriptedRuns, scriptedCode, temporaryFolder } from './scripted.ts';

const options = { runtime: { python: 'python3', code: scriptedCode }, onTask: () => undefined };
const machines = { copy: true, nodes: 2, gpus: 8 };

async function packed() {
  const folder = temporaryFolder();
  const runs = openScriptedRuns(folder);
  const { id } = await createRun(runs, 'short');
  const out = path.join(folder, 'elsewhere');
  const told = await packRun(await runs.find(id), { ...machines, out }, options);
  return { folder, runs, id, out, told };
}

/** The other machine. */
function trainThere(out: string): void {
  const config = path.join(out, 'run.json');
  const args = ['-m', 'textbind_trainer.train', '--config', config];
  const ran = spawnSync('python3', args, { env: { ...process.env, PYTHONPATH: scriptedCode } });
  expect(ran.status).toBe(0);
  writeFileSync(path.join(out, 'events.jsonl'), ran.stdout);
  writeFileSync(path.join(out, 'log.txt'), 'node 3 says hello\n');
}

it('is written with what the person chose, and never over what is there', async () => {
  const { runs, id, out, told } = await packed();
  expect(told).toEqual({ folder: out, files: 3, bytes: 10, copied: true });
  expect(readFileSync(path.join(out, 'run.slurm'), 'utf8')).toBe('2 8');
  const again = packRun(await runs.find(id), { ...machines, out }, options);
  await expect(again).rejects.toThrow(/is there already/);
});

it('comes back as a run of its own, with its curve, checkpoints and log; the folder stays', async () => {
  const { folder, runs, id, out } = await packed();
  trainThere(out);
  const before = readdirSync(out).sort();
  const nameOf = (known: string) => runs.nameOf(known);
  const back = await takeBack(out, path.join(folder, 'runs'), nameOf, 5, options);
  expect(await runs.adopt(back)).toMatchObject({
    ...{ name: 'Run short (elsewhere)', state: 'finished', step: 4, steps: 4, createdAt: 5 },
  });
  const { checkpoints, log } = await runs.detail(back);
  expect(checkpoints.map(({ step }) => step)).toEqual([2, 4]);
  expect(log).toContain('node 3 says hello');
  expect((await runs.history(back, 100)).steps).toEqual([1, 2, 3, 4]);
  expect(readdirSync(out).sort()).toEqual(before);
  expect(existsSync(path.join(folder, 'runs', back, 'trainer'))).toBe(false);
  expect((await runs.list()).map((run) => run.id).sort()).toEqual([id, back].sort());
});

it('is refused where it never started, and nothing of it is left', async () => {
  const { folder, runs, out } = await packed();
  const place = path.join(folder, 'runs');
  const take = (from: string) => takeBack(from, place, () => null, 5, options);
  await expect(take(out)).rejects.toThrow(/never started/);
  trainThere(out);
  writeFileSync(path.join(out, 'manifest.json'), '{"format":1}');
  await expect(take(out)).rejects.toThrow(/manifest.json/);
  mkdirSync(path.join(place, 'trash'), { recursive: true });
  expect(readdirSync(path.join(place, 'trash'))).toEqual([]);
  expect(await runs.list()).toHaveLength(1);
});
