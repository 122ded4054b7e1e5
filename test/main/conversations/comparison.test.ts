// Two models asked the same: in which engine, in which order, blind, judged once, and what is kept of it.
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  ComparisonService,
  type ComparisonEngines,
} from '../../../src/main/conversations/comparison-service.ts';
import { openTallyBook } from '../../../src/main/conversations/tally.ts';
import type { WorkerRequestBody } from '../../../src/shared/contracts/worker-protocol.ts';
import type { Comparison, Side } from '../../../src/shared/domain/comparison.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { PlannedEngine, type Plan } from '../support/planned-engine.ts';
import { openVersionChat, spell } from '../support/version-chat.ts';

const base = { name: 'Base', folder: '/models/base' };
const tuned = { name: 'Tuned', folder: '/models/tuned' };

function openComparison(answers: Record<string, Plan>, room = 2) {
  const made = openVersionChat();
  const { store, pictures, clock, chat, events, folder } = made;
  const asked: { folder: string; engine: PlannedEngine }[] = [];
  const did: string[] = [];
  const engines: ComparisonEngines = {
    async withModel(model) {
      did.push(`open ${model}`);
      if (did.includes('room')) room = 2;
      if (room < 2 && model === tuned.folder) throw new StudioError('out-of-memory', 'Too little.');
      const engine = new PlannedEngine();
      engine.plans.push(answers[model] ?? {});
      asked.push({ folder: model, engine });
      return engine;
    },
    async makeRoom() {
      did.push('room');
      return () => void did.push('back');
    },
    leave: () => void did.push('leave'),
  };
  const file = path.join(folder, 'comparisons.jsonl');
  const parts = { store, pictures, clock, chat, log: silentLogger, engines };
  const emit = (name: string, body: unknown) => void events.push({ name, body } as never);
  const comparison = new ComparisonService({ ...parts, emit, tally: openTallyBook(file) });
  const told = (): Comparison[] =>
    events
      .filter(({ name }) => name === 'comparison.changed')
      .map(({ body }) => (body as { comparison: Comparison }).comparison);
  return { ...made, comparison, asked, did, told, file };
}

const text = (words: string) => ({ kind: 'text' as const, text: words });
const models = [base, tuned] as [typeof base, typeof tuned];

test('both are asked the same with the same seed, and their answers stand side by side', async () => {
  const { comparison, asked } = openComparison({
    [base.folder]: { says: 'One.' },
    [tuned.folder]: { says: 'Two: [a pear] see.' },
  });
  comparison.start({ models, blind: false, prompt: text('Well?') });
  await comparison.idle();
  const { sides, message } = comparison.current()!;
  expect(message).toEqual([{ kind: 'text', text: 'Well?' }]);
  expect(sides.map(({ state, model }) => [state, model?.name])).toEqual([
    ['done', 'Base'],
    ['done', 'Tuned'],
  ]);
  expect(sides.map(({ reply }) => spell({ parts: reply.parts as never }))).toEqual([
    'One.',
    'Two: [a pear] see.',
  ]);
  const [first, second] = asked.map(({ engine }) => engine.asked[0]!.body);
  expect(first).toEqual(second);
});

test('blind: nothing that the window hears names a model before the verdict, and one is given once', async () => {
  const { comparison, told, asked } = openComparison({
    [base.folder]: { says: 'One.' },
    [tuned.folder]: { says: 'Two.' },
  });
  const orders = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    asked.length = 0;
    const { id } = comparison.start({ models, blind: true, prompt: text('Well?') });
    await comparison.idle();
    for (const each of told().filter((one) => one.id === id)) {
      expect(JSON.stringify(each)).not.toMatch(/Base|Tuned|models\//);
    }
    const judged = comparison.judge(id, 'A');
    orders.add(judged.sides.map(({ model }) => model!.name).join());
    // The one that is named is the one that was asked.
    expect(judged.sides.map(({ model }) => model!.folder)).toEqual(asked.map((one) => one.folder));
    expect(() => comparison.judge(id, 'B')).toThrow(/judged already/);
  }
  expect(orders).toEqual(new Set(['Base,Tuned', 'Tuned,Base']));
  const [tally] = comparison.tally();
  expect(tally).toMatchObject({ models: [base, tuned], both: 0, neither: 0, blind: 20 });
  expect(tally!.wins[0] + tally!.wins[1]).toBe(20);
});

test('a reply of a conversation: its message is asked again with what stands before it', async () => {
  const { comparison, asked, talk, regenerate } = openComparison({});
  const first = await talk('one', 'first');
  const second = await talk('two', 'second', first.conversationId);
  await regenerate(first.ids[1], 'first anew');
  const prompt = { kind: 'reply' as const, turnId: second.ids[1] };
  comparison.start({ models, blind: false, prompt });
  await comparison.idle();
  const { turns } = asked[0]!.engine.asked[0]!.body as WorkerRequestBody<'chat.reply'>;
  const words = turns.map(({ parts }) =>
    parts.map((part) => (part.kind === 'text' ? part.text : '')),
  );
  // The path to that reply, though another is current now.
  expect(words.map((each) => each.join(''))).toEqual(['one', 'first', 'two']);
  const message = { kind: 'reply' as const, turnId: second.ids[0] };
  expect(() => comparison.start({ models, blind: false, prompt: message })).toThrow(/a reply/);
});

test('no room for both: the chat gives its model up for the time, and that is said', async () => {
  const { comparison, did } = openComparison({}, 1);
  comparison.start({ models, blind: false, prompt: text('Well?') });
  await comparison.idle();
  expect(comparison.current()!.note).toMatch(/not enough memory/);
  expect(did).toEqual([
    `open ${base.folder}`,
    `open ${tuned.folder}`,
    'room',
    `open ${tuned.folder}`,
    'back',
    'leave',
  ]);
});

test('one that fails or is stopped leaves nothing to judge, and the next can begin', async () => {
  const { comparison } = openComparison({
    [base.folder]: { ends: 'fail' },
    [tuned.folder]: { says: 'Words', ends: 'hang' },
  });
  const { id } = comparison.start({ models, blind: false, prompt: text('Well?') });
  expect(() => comparison.start({ models, blind: false, prompt: text('Again?') })).toThrow(
    /Stop it/,
  );
  while (comparison.current()!.sides[1].reply.parts.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  comparison.stop();
  await comparison.idle();
  const { sides } = comparison.current()!;
  expect(
    sides.map(({ side, state, error }): [Side, string, string | undefined] => [
      side,
      state,
      error?.kind,
    ]),
  ).toEqual([
    ['A', 'failed', 'out-of-memory'],
    ['B', 'failed', 'cancelled'],
  ]);
  expect(sides[1].reply.parts).toEqual([{ kind: 'text', text: 'Words' }]);
  expect(() => comparison.judge(id, 'A')).toThrow(/must have answered/);
  comparison.start({ models, blind: false, prompt: text('Again?') });
  comparison.stop();
  await comparison.idle();
});

test('the tally outlives a line that a crash cut, and holds no word of what was asked', async () => {
  const { comparison, file } = openComparison({
    [base.folder]: { says: 'secret answer' },
    [tuned.folder]: { says: 'secret answer' },
  });
  const judge = async (verdict: 'both' | 'neither' | 'B') => {
    const { id } = comparison.start({ models, blind: false, prompt: text('secret question') });
    await comparison.idle();
    comparison.judge(id, verdict);
  };
  await judge('both');
  appendFileSync(file, '\n{"at":1,"mod');
  await judge('B');
  await judge('neither');
  const again = openTallyBook(file).read();
  expect(again).toEqual([{ models: [base, tuned], wins: [0, 1], both: 1, neither: 1, blind: 0 }]);
  expect(readFileSync(file, 'utf8')).not.toContain('secret');
});
