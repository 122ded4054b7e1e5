import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify, isRunning } from '../../../src/main/training/process-identity.ts';
import { isStudioError, type ErrorKind } from '../../../src/shared/errors.ts';
import { createRun, openScriptedRuns, reaches, startRun, temporaryFolder } from './scripted.ts';

const kindOf = (kind: ErrorKind): unknown =>
  expect.toSatisfy((error) => isStudioError(error, kind));

describe('a run', () => {
  it('is a process of its own: whoever opens its folder finds it under way, and can stop it', async () => {
    const folder = temporaryFolder();
    const first = openScriptedRuns(folder);
    const { id } = await createRun(first, 'endless');
    expect((await first.start(id, false)).state).toBe('starting');
    await reaches(first, id, 'running', 3);
    first.close();
    const second = openScriptedRuns(folder);
    const found = await reaches(second, id, 'running', 4);
    expect(found).toMatchObject({ name: 'Run endless', steps: 1_000_000, trouble: null });
    await expect(second.start(id, false)).rejects.toEqual(kindOf('busy'));
    await expect(second.delete(id)).rejects.toEqual(kindOf('busy'));
    expect((await second.stop(id)).state).toBe('stopping');
    const stopped = await reaches(second, id, 'stopped');
    const { checkpoints } = await second.detail(id);
    expect(checkpoints.at(-1)?.step).toBe(stopped.step);
    await second.start(id, false);
    const went = await reaches(second, id, 'running', stopped.step + 2);
    expect(went.step).toBeGreaterThan(stopped.step);
    const { steps } = await second.history(id, 1000);
    expect(steps).toEqual(steps.map((_, index) => index + 1));
  });

  it('that was killed says so, keeps its checkpoint and goes on from it', async () => {
    const { runs, id } = await startRun('endless');
    await reaches(runs, id, 'running', 3);
    await runs.kill(id);
    const killed = await reaches(runs, id, 'interrupted');
    expect(killed.trouble?.kind).toBe('killed');
    expect(killed.trouble?.remedy).toMatch(/go on/);
    await runs.start(id, false);
    expect((await reaches(runs, id, 'running')).trouble).toBeNull();
  });

  it('that ends while nobody looks is read from its events', async () => {
    const { folder, runs: first, id } = await startRun('short');
    first.close();
    const finished = await reaches(openScriptedRuns(folder), id, 'finished');
    expect(finished).toMatchObject({ step: 4, steps: 4, loss: 1, validationLoss: 1.5 });
  });

  it.each([
    ['diverge', 'diverged', /learning rate/],
    ['mute', 'internal', /No module named 'torch'/],
    ['die', 'killed', /memory/],
  ])('that ends by "%s" names the trouble and what to do', async (play, kind, words) => {
    const { runs, id } = await startRun(play);
    const ended = await reaches(runs, id, play === 'die' ? 'interrupted' : 'failed');
    expect(ended.trouble?.kind).toBe(kind);
    expect(`${ended.trouble?.message} ${ended.trouble?.remedy}`).toMatch(words);
  });

  it('goes on after the remedy for what ended it', async () => {
    const { runs, id } = await startRun('diverge');
    expect((await reaches(runs, id, 'failed')).trouble?.kind).toBe('diverged');
    expect((await runs.change(id, { learningRate: 3e-5 })).file.learningRate).toBe(3e-5);
    await runs.start(id, true);
    expect((await reaches(runs, id, 'running', 4)).trouble).toBeNull();
  });

  it('that asks is answered by starting it with the changes', async () => {
    const { runs, id } = await startRun('ask');
    const asking = await reaches(runs, id, 'asking');
    expect(asking.question?.changes).toEqual([{ field: 'learningRate', was: '1', now: '2' }]);
    await runs.start(id, true);
    expect((await reaches(runs, id, 'running')).question).toBeNull();
  });

  it('is not mistaken for another process that got its number', async () => {
    const { folder, runs: first, id } = await startRun('endless');
    await reaches(first, id, 'running', 2);
    await first.kill(id);
    await reaches(first, id, 'interrupted');
    const other = spawn('sleep', ['60']);
    const file = path.join(folder, 'runs', id, 'process.json');
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { startedAs: string };
    writeFileSync(file, JSON.stringify({ ...stored, pid: other.pid }));
    const second = openScriptedRuns(folder);
    expect((await second.list())[0]?.state).toBe('interrupted');
    await second.kill(id);
    expect(other.exitCode).toBeNull();
    expect(isRunning(identify(other.pid!))).toBe(true);
    const ended = new Promise((resolve) => other.once('exit', resolve));
    const identity = identify(other.pid!);
    other.kill('SIGKILL');
    await ended;
    expect(isRunning(identity)).toBe(false);
  });

  it('told to stop before its first step has nothing to save, and is stopped', async () => {
    const folder = temporaryFolder();
    const runs = openScriptedRuns(folder);
    const { id } = await createRun(runs, 'endless');
    await runs.start(id, false);
    await runs.stop(id);
    await reaches(runs, id, 'stopped');
  });

  it('can be changed, copied, deleted and brought back; what was deleted long ago goes', async () => {
    const folder = temporaryFolder();
    const day = 24 * 60 * 60 * 1000;
    const runs = openScriptedRuns(folder);
    const { id } = await createRun(runs, 'endless');
    expect((await runs.change(id, { steps: 7, learningRate: 0.01 })).file).toMatchObject({
      steps: 7,
      learningRate: 0.01,
      data: { play: 'endless' },
    });
    expect((await runs.change(id, { epochs: 2 })).file.steps).toBeUndefined();
    const skipped = (await runs.change(id, { skipBadRows: true, keepCheckpoints: 1 })).file;
    expect(skipped.data).toEqual({ play: 'endless', badRows: 'skip' });
    expect(skipped).not.toHaveProperty('skipBadRows');
    expect((await runs.setRestsEngine(id, true)).restsEngine).toBe(true);
    const copy = await runs.duplicate(id);
    expect(copy.restsEngine).toBe(true);
    expect(copy).toMatchObject({ name: 'Run endless (copy)', state: 'ready', step: 0 });
    await runs.delete(id);
    expect((await runs.list()).map((run) => run.id)).toEqual([copy.id]);
    expect((await runs.restore(id)).state).toBe('ready');
    await runs.delete(id);
    expect(await openScriptedRuns(folder, () => 29 * day).list()).toHaveLength(1);
    const aside = path.join(folder, 'runs', 'trash', id);
    expect(existsSync(aside)).toBe(true);
    await openScriptedRuns(folder, () => 31 * day).list();
    expect(existsSync(aside)).toBe(false);
  });

  it('with torn and foreign lines in its events is read as far as it goes; a broken folder hides no other', async () => {
    const folder = temporaryFolder();
    const first = openScriptedRuns(folder);
    const { id } = await createRun(first, 'short');
    const events = path.join(folder, 'runs', id, 'events.jsonl');
    appendFileSync(events, '{"event":"from a later version","time":1}\nnot json\n{"event":"st');
    mkdirSync(path.join(folder, 'runs', 'broken'));
    const second = openScriptedRuns(folder);
    expect(await second.list()).toHaveLength(1);
    await second.start(id, false);
    expect(await reaches(second, id, 'finished')).toMatchObject({ step: 4 });
  });
});
