import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BenchService } from '../../../src/main/conversations/bench-service.ts';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import {
  benchOf,
  planDrawings,
  type BenchDrawing,
  type DrawingPlan,
} from '../../../src/shared/domain/bench.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import type { WorkerRequestBody } from '../../../src/shared/contracts/worker-protocol.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { drawnEvent, ScriptedEngine } from '../support/scripted-engine.ts';
import { openTestStorage } from '../support/storage.ts';

const base: DrawingPlan = { seed: 7, steps: 20, guidance: null, negative: 'fog', size: null };
const range = { side: 128, step: 8, guidance: 2 };

async function open() {
  const { store, folder } = openTestStorage();
  const pictures = createPictureStore(path.join(folder, 'pictures'), store.pictures);
  const engine = new ScriptedEngine();
  const told: BenchDrawing[] = [];
  const deps = {
    ...{ store, pictures, engine, clock: new FakeClock(), log: silentLogger },
    emit: (name: string, body: object) =>
      void (name === 'bench.drawing' && told.push((body as { drawing: BenchDrawing }).drawing)),
  };
  const chat = new ChatService(deps);
  const bench = new BenchService(deps, chat);
  const { conversation, turnId } = chat.send({
    conversationId: null,
    parts: [{ kind: 'text', text: 'Draw' }],
  });
  const reply = await engine.next(1);
  await reply.emit({ kind: 'caption-started' }, drawnEvent('a red apple'));
  await reply.end();
  await chat.idle();
  const place = { turnId, partIndex: 0 };
  const draw = (plans: readonly DrawingPlan[]) =>
    bench.draw({ bench: benchOf(place), caption: 'a red apple', plans });
  const shown = () => store.turns.list(conversation.id).at(-1)!.parts[0];
  return { store, engine, chat, bench, told, conversation, place, draw, shown };
}

const statesOf = (drawings: readonly BenchDrawing[]) => drawings.map(({ state }) => state);

describe('the bench', () => {
  test('draws one after the other, each by its plan, and tells how far it is', async () => {
    const { engine, bench, draw, told, place } = await open();
    draw(planDrawings(base, 'seed', range));
    const bodies = [];
    for (let number = 2; number <= 5; number += 1) {
      const asked = await engine.next(number);
      bodies.push(asked.body as WorkerRequestBody<'draw'>);
      // The next is not asked for before this one is over: a reply may come between them.
      expect(engine.asked).toHaveLength(number);
      await asked.reply(drawnEvent('a red apple'));
    }
    await bench.idle();
    expect(bodies.map(({ drawing }) => drawing.seed)).toEqual([7, 8, 9, 10]);
    expect(bodies[0]).toMatchObject({
      caption: 'a red apple',
      drawing: { steps: 20, guidance: null, negative: 'fog', enabled: true },
    });
    const drawings = bench.list(benchOf(place));
    expect(statesOf(drawings)).toEqual(['done', 'done', 'done', 'done']);
    expect(drawings.every(({ picture }) => picture?.origin === 'drawn')).toBe(true);
    expect(told.map(({ state }) => state).slice(0, 2)).toEqual(['drawing', 'done']);
  });

  test('gives a drawing that is taken to its reply, and keeps what stood there', async () => {
    const { engine, bench, draw, place, shown, store, conversation } = await open();
    const before = shown();
    draw([base]);
    await (await engine.next(2)).reply(drawnEvent('a red apple'));
    await bench.idle();
    const [done] = bench.list(benchOf(place));
    const after = bench.place(done!.picture!.id, place, true);
    expect(shown()).toEqual({ kind: 'picture', picture: done!.picture });
    expect(after.versions.drawings).toEqual([{ ...place, count: 2, current: 1 }]);
    expect(store.versions.drawingsAt(place.turnId, 0)).toEqual({
      pictures: [before?.kind === 'picture' ? before.picture : null, done!.picture],
      current: 1,
    });
    // Once more it is the same version.
    bench.place(done!.picture!.id, place, true);
    expect(store.versions.of(conversation.id).drawings[0]?.count).toBe(2);
  });

  test('keeps a favourite beside the current one', async () => {
    const { engine, bench, draw, place, shown } = await open();
    const before = shown();
    draw([base]);
    await (await engine.next(2)).reply(drawnEvent('a red apple'));
    await bench.idle();
    const kept = bench.place(bench.list(benchOf(place))[0]!.picture!.id, place, false);
    expect(shown()).toEqual(before);
    expect(kept.versions.drawings).toEqual([{ ...place, count: 2, current: 0 }]);
  });

  test('cancels what waits and what is being drawn, and goes on with the next', async () => {
    const { engine, bench, draw, place } = await open();
    const [first, second, third] = draw(planDrawings(base, 'seed', range));
    const asked = await engine.next(2);
    bench.cancel([first!.id, second!.id]);
    expect(asked.signal?.aborted).toBe(true);
    await asked.fail(new StudioError('cancelled', 'Stopped.'));
    const next = await engine.next(3);
    expect((next.body as WorkerRequestBody<'draw'>).drawing.seed).toBe(third!.plan.seed);
    await next.fail(new StudioError('out-of-memory', 'Not enough memory.'));
    await (await engine.next(4)).reply(drawnEvent('a red apple'));
    await bench.idle();
    const drawings = bench.list(benchOf(place));
    expect(statesOf(drawings)).toEqual(['cancelled', 'cancelled', 'failed', 'done']);
    expect(drawings[2]?.error?.message).toBe('Not enough memory.');
  });

  test('puts nothing into a reply that is being written, nor where no drawing stands', async () => {
    const { engine, bench, draw, place, chat, conversation } = await open();
    draw([base]);
    await (await engine.next(2)).reply(drawnEvent('a red apple'));
    await bench.idle();
    const { picture } = bench.list(benchOf(place))[0]!;
    expect(() => bench.place(picture!.id, { ...place, partIndex: 5 }, true)).toThrow(
      'not a drawing',
    );
    chat.send({ conversationId: conversation.id, parts: [{ kind: 'text', text: 'More' }] });
    expect(() => bench.place(picture!.id, place, true)).toThrow(
      expect.objectContaining({ kind: 'busy' }),
    );
  });
});

describe('plans', () => {
  test('differ in one thing alone, within what may be', () => {
    expect(planDrawings(base, null, range)).toEqual([base]);
    const seeds = planDrawings({ ...base, seed: 0xffff_fffe }, 'seed', range);
    expect(seeds.map(({ seed }) => seed)).toEqual([0xffff_fffe, 0xffff_ffff, 0, 1]);
    expect(planDrawings(base, 'guidance', range).map(({ guidance }) => guidance)).toEqual([
      1.2, 2, 3, 4.4,
    ]);
    expect(planDrawings({ ...base, guidance: 20 }, 'guidance', range).at(-1)?.guidance).toBe(30);
    expect(planDrawings(base, 'steps', range).map(({ steps }) => steps)).toEqual([8, 14, 20, 30]);
    expect(planDrawings({ ...base, steps: 1 }, 'steps', range)[0]?.steps).toBe(1);
    expect(planDrawings(base, 'size', range).map(({ size }) => size)).toEqual([
      { width: 128, height: 128 },
      { width: 160, height: 96 },
      { width: 96, height: 160 },
      { width: 192, height: 80 },
    ]);
  });
});
