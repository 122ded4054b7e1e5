import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { drawingIdleMs } from '../../../src/main/processes/drawing-process.ts';
import { Engine } from '../../../src/main/processes/engine.ts';
import type { WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';
import { workerEnvironment } from '../../../src/shared/contracts/worker-protocol.ts';
import { noPython } from '../../golden/run-python.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';
import { createNodeSpawn, createWorkerSpawn, until } from '../support/node-spawn.ts';

const never = new AbortController().signal;
const drawing = { steps: 6, guidance: 5, negative: '', seed: 3, enabled: true };
/** A reply that begins with a picture and has room for words behind its caption. */
const reply = {
  turns: [{ role: 'user' as const, parts: [{ kind: 'text' as const, text: 'Hello' }] }],
  sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 110, seed: 1 },
  drawing: { ...drawing, steps: 40 },
  wish: 'draw' as const,
};

const isGone = (pid: number | undefined): boolean => {
  try {
    process.kill(pid ?? 0, 0);
    return pid === undefined;
  } catch {
    return true;
  }
};

describe.skipIf(noPython !== undefined)(`drawing in a process of its own ${noPython ?? ''}`, () => {
  let model: ReturnType<typeof makeTinyModel>;

  beforeAll(() => {
    model = makeTinyModel();
  }, 600_000);
  afterAll(() => model.remove());

  /** The real engine; drawing is apart however small it is, unless `env` says otherwise. */
  async function startEngine(env: Readonly<Record<string, string>> = {}, clock = systemClock) {
    const apart = { [workerEnvironment.drawApart]: '0', ...env };
    const spawnDrawing = createWorkerSpawn(apart);
    const engine = new Engine({
      spawn: createWorkerSpawn(apart),
      spawnDrawing,
      clock,
      log: silentLogger,
      choice: () => ({ folder: model.folder, provider: 'cpu' }),
      onStatus: () => undefined,
    });
    engine.start();
    await engine.whenReady(never);
    return { engine, spawnDrawing };
  }

  test('a small model draws where it talks: no other process is started', async () => {
    const { engine, spawnDrawing } = await startEngine({ [workerEnvironment.drawApart]: '' });
    expect(engine.status().model).toMatchObject({ drawing: { apart: false } });
    await engine.request('draw', { caption: 'x', drawing });
    expect(spawnDrawing.children).toHaveLength(0);
    await engine.close();
  });

  test('starts when something is drawn, with the same picture as in one process', async () => {
    const { engine, spawnDrawing } = await startEngine();
    expect(engine.status().model).toMatchObject({ canDraw: true, drawing: { apart: true } });
    expect(spawnDrawing.children).toHaveLength(0);
    const apart = await engine.request('draw', { caption: 'x', drawing });
    await engine.request('draw', { caption: 'y', drawing });
    expect(spawnDrawing.children).toHaveLength(1);
    await engine.close();
    expect(isGone(spawnDrawing.children[0]?.pid())).toBe(true);
    const { engine: whole } = await startEngine({ [workerEnvironment.drawApart]: '' });
    const here = await whole.request('draw', { caption: 'x', drawing });
    await whole.close();
    expect(Buffer.from(apart.png).equals(here.png)).toBe(true);
    expect(apart.recipe).toEqual(here.recipe);
  });

  test('SIGKILL in mid-drawing costs the picture alone: words go on, and draw again works', async () => {
    const { engine, spawnDrawing } = await startEngine();
    const events: WorkerReplyEvent[] = [];
    const killed: number[] = [];
    const { finish, usage } = await engine.request('chat.reply', reply, {
      onEvent: (event) => {
        events.push(event);
        const pid = engine.drawingPid();
        if (event.kind !== 'drawing-step' || event.step < 1 || pid === undefined) return;
        if (killed.length > 0) return;
        killed.push(pid);
        process.kill(pid, 'SIGKILL');
      },
    });
    expect(killed).toHaveLength(1);
    const failed = events.find(({ kind }) => kind === 'drawing-failed');
    expect(failed).toMatchObject({
      error: {
        kind: 'worker-crashed',
        message:
          'The process that draws was ended by SIGKILL (the system does this when memory runs out). Draw again: it will take less memory, and longer.',
      },
    });
    expect(finish).toMatch(/end|length/);
    expect(usage).toMatchObject({ pictures: 0 });
    expect(engine.status()).toMatchObject({ state: 'ready', crashes: 0 });
    const caption = failed?.kind === 'drawing-failed' ? failed.caption : '';
    const again = await engine.request('draw', { caption, drawing });
    expect(again).toMatchObject({ kind: 'picture', width: 64 });
    expect(spawnDrawing.children).toHaveLength(2);
    expect(engine.drawingPid()).not.toBe(killed[0]);
    await engine.close();
  });

  test('a reply draws in it, and the picture stands in the reply', async () => {
    const { engine } = await startEngine();
    const kinds: string[] = [];
    const onEvent = ({ kind }: WorkerReplyEvent): void => void kinds.push(kind);
    const { usage } = await engine.request('chat.reply', reply, { onEvent });
    expect(usage.pictures).toBeGreaterThan(0);
    expect(kinds).toContain('picture');
    await engine.close();
  });

  test('Stop ends a drawing between its steps, and the process is kept', async () => {
    const { engine, spawnDrawing } = await startEngine();
    const abort = new AbortController();
    const stopped = engine.request(
      'draw',
      { caption: 'x', drawing: { ...drawing, steps: 150 } },
      { signal: abort.signal, onEvent: ({ step }) => step === 2 && abort.abort() },
    );
    await expect(stopped).rejects.toMatchObject({ kind: 'cancelled' });
    await engine.request('draw', { caption: 'x', drawing });
    expect(spawnDrawing.children).toHaveLength(1);
    await engine.close();
  });

  test('the engine dies while it waits: the drawing it waited for is stopped', async () => {
    const { engine, spawnDrawing } = await startEngine();
    let last = 0;
    const asked = engine.request('chat.reply', reply, {
      onEvent: (event) => {
        if (event.kind !== 'drawing-step' || event.step < 1) return;
        last = event.step;
        process.kill(engine.pid() ?? 0, 'SIGKILL');
      },
    });
    await expect(asked).rejects.toMatchObject({ kind: 'worker-crashed' });
    expect(last).toBeLessThan(40);
    await engine.whenReady(never);
    await engine.request('draw', { caption: 'x', drawing });
    expect(spawnDrawing.children.length).toBeGreaterThan(0);
    await engine.close();
  });

  test('is ended when nothing was drawn for a while, and comes back', async () => {
    const clock = new FakeClock();
    const { engine, spawnDrawing } = await startEngine({}, clock);
    await engine.request('draw', { caption: 'x', drawing });
    const pid = engine.drawingPid();
    clock.advance(drawingIdleMs - 1);
    expect(isGone(pid)).toBe(false);
    clock.advance(1);
    await engine.request('draw', { caption: 'x', drawing });
    expect(isGone(pid)).toBe(true);
    expect(spawnDrawing.children).toHaveLength(2);
    await engine.close();
  });

  test('says what memory is missing before anything is loaded, and words go on', async () => {
    const { engine } = await startEngine({ [workerEnvironment.memory]: '4000000' });
    const { usage } = await engine.request('chat.reply', reply);
    expect(usage.pictures).toBe(0);
    const refused = engine.request('draw', { caption: 'x', drawing });
    await expect(refused).rejects.toMatchObject({
      kind: 'out-of-memory',
      message: expect.stringMatching(
        /^Drawing 64 x 64 needs about .* of memory, and 4 MB are free/,
      ) as unknown,
    });
    await engine.close();
  });
});

test('a process that crashes again and again: the model is refused, a person is listened to', async () => {
  const clock = new FakeClock();
  const spawnDrawing = createNodeSpawn(['dead', 'dead', 'dead', '']);
  const engine = new Engine({
    spawn: createNodeSpawn(['apart']),
    spawnDrawing,
    clock,
    log: silentLogger,
    choice: () => ({ folder: '/models/a', provider: 'cpu' }),
    onStatus: () => undefined,
  });
  engine.start();
  await engine.whenReady(never);
  for (let crash = 0; crash < 3; crash += 1) {
    const refused = engine.request('draw', { caption: 'x', drawing });
    await expect(refused).rejects.toMatchObject({
      kind: 'worker-crashed',
      message: expect.stringContaining('libdead.so') as unknown,
    });
  }
  await until(() => engine.drawingPid() === undefined, 'gone');
  const picture = await engine.request('draw', { caption: 'x', drawing: { ...drawing, steps: 1 } });
  expect(picture).toMatchObject({ kind: 'picture' });
  expect(spawnDrawing.children).toHaveLength(4);
  await engine.close();
});
