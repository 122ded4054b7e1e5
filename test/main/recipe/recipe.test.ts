import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeDataFile } from '../../../src/main/recipe/data-file.ts';
import { diversityOf } from '../../../src/shared/domain/recipe-conversation.ts';
import { isStudioError } from '../../../src/shared/errors.ts';
import { textbindConversationSchema } from '../../../src/shared/domain/textbind-conversation.ts';
import { goodConversation } from '../../support/chat-server.ts';
import {
  captionsOfTest,
  openLooked,
  openRecipes,
  openServed,
  planOf,
  startServer,
  temporaryFolder,
} from './support.ts';

const badInput: unknown = expect.toSatisfy((error) => isStudioError(error, 'bad-input'));

describe('a recipe', () => {
  it('writes conversations of pictures of one cluster, without those that fit their captions worst', async () => {
    const { server, recipe } = await openServed({ count: 20, atOnce: 3 });
    expect(recipe.view()).toMatchObject({
      pictures: { count: 12, compared: true },
      clusters: [6, 6],
    });
    await recipe.write(server.address, null);
    expect(recipe.view()).toMatchObject({
      ...{ trouble: null, confirmed: server.address, state: 'resting' },
      counts: { toReview: 20, toWrite: 0, filtered: 0 },
    });
    expect(server.mostAtOnce).toBeLessThanOrEqual(3);
    const used = new Map<string, number>();
    for (const { captions, model } of server.asked) {
      expect(model).toBe('writer-1');
      const numbers = captions.map((caption) => captionsOfTest.indexOf(caption));
      expect(new Set(numbers.map((number) => number % 2)).size).toBe(1);
      expect(new Set(numbers).size).toBe(numbers.length);
      for (const caption of captions) used.set(caption, (used.get(caption) ?? 0) + 1);
    }
    expect(used.size).toBe(10);
    expect(recipe.quality()).toEqual({
      diversity: { user: null, assistant: null },
      likeness: { all: { pictures: 12, mean: 4.02 / 12, lowestTenth: 0.01 }, accepted: null },
    });
    recipe.judge(0, 'accepted');
    const { diversity, likeness } = recipe.quality();
    expect(likeness?.accepted).toMatchObject({ mean: 0.4, lowestTenth: 0.4 });
    expect(diversity).toEqual(diversityOf([recipe.items('accepted', 0, 1)[0]!.text]));
    expect(diversity.assistant).toBeGreaterThan(2);
    expect(Math.max(...used.values()) - Math.min(...used.values())).toBeLessThanOrEqual(4);
  });

  it('sends nothing to an address that nobody said yes to', async () => {
    const { server, recipe } = await openServed();
    expect(recipe.estimate()).toMatchObject({
      requests: 6,
      address: server.address,
      seconds: null,
    });
    expect(() => recipe.write(null, null)).toThrow(badInput);
    expect(() => recipe.write('https://example.org/v1', null)).toThrow(badInput);
    expect(server.asked).toEqual([]);
    expect(recipe.view().confirmed).toBeNull();
  });

  it('costs what tokens and the price say, by what there was once there was some', async () => {
    const server = await startServer();
    const price = { prompt: 2, reply: 10, currency: 'EUR' };
    const { recipe } = openLooked(temporaryFolder(), { ...planOf(server), price });
    const before = recipe.estimate();
    expect(before.cost).toBeCloseTo((before.promptTokens * 2 + before.replyTokens * 10) / 1e6, 4);
    await recipe.write(server.address, 2);
    const { tokens, counts } = recipe.view();
    expect(counts).toMatchObject({ toReview: 2, toWrite: 4 });
    const after = recipe.estimate();
    expect(after.requests).toBe(4);
    expect(after.promptTokens).toBe(Math.round((tokens.prompt / 2) * 4));
    expect(after.seconds).toBeGreaterThan(0);
  });

  it('asks again where an answer is against the rules, with another seed, and lists what stays so', async () => {
    const server = await startServer();
    server.script = (_, { captions }) =>
      captions[0] === server.asked[0]!.captions[0] ? { kind: 'say', text: 'I cannot.' } : null;
    const { recipe } = openLooked(temporaryFolder(), planOf(server, { count: 3, tries: 3 }));
    await recipe.write(server.address, null);
    const { counts, reasons } = recipe.view();
    expect(counts).toMatchObject({ filtered: 1, toReview: 2, toWrite: 0 });
    expect(reasons).toEqual({ 'no-human': 3 });
    const tries = server.asked.filter(
      ({ captions }) => captions[0] === server.asked[0]!.captions[0],
    );
    expect(new Set(tries.map(({ seed }) => seed)).size).toBe(3);
    const [item] = recipe.items('left-out', 0, 10);
    expect(item).toMatchObject({ text: 'I cannot.', reasons: ['no-human'], verdict: null });
    expect(() => recipe.judge(item!.number, 'accepted')).toThrow(badInput);
    // A person mends it, and then it may be taken.
    const captions = item!.pictures.map(({ caption }) => caption);
    expect(recipe.edit(item!.number, goodConversation(captions)).reasons).toEqual([]);
    expect(recipe.judge(item!.number, 'accepted').verdict).toBe('accepted');
    server.script = () => null;
    recipe.again();
    expect(recipe.view().counts).toMatchObject({ accepted: 1, toWrite: 0 });
  });

  it('lists answers that are none, and tries them again when told to', async () => {
    const server = await startServer();
    server.script = () => ({ kind: 'body', body: '<html>Sign in</html>' });
    const { recipe } = openLooked(temporaryFolder(), planOf(server, { count: 2, tries: 2 }));
    await recipe.write(server.address, null);
    expect(recipe.view().counts).toMatchObject({ failed: 2, toWrite: 0 });
    expect(recipe.items('left-out', 0, 1)[0]!.failure).toMatch(/without a message/);
    server.script = () => null;
    recipe.again();
    expect(recipe.view().counts).toMatchObject({ failed: 0, toWrite: 2 });
    await recipe.write(server.address, null);
    expect(recipe.view().counts).toMatchObject({ toReview: 2, toWrite: 0 });
  });

  it('keeps every answer that was there when it was killed, past a torn line, and asks for no other twice', async () => {
    const { server, folder, recipe } = await openServed({ count: 8 });
    await recipe.write(server.address, 5);
    appendFileSync(recipe.folder.journal, '{"kind":"answer","at":1,"num');
    const again = openRecipes(folder).recipes.find(recipe.id);
    expect(again.view().counts).toMatchObject({ toReview: 5, toWrite: 3 });
    await again.write(server.address, null);
    expect(server.asked).toHaveLength(8);
    const third = openRecipes(folder).recipes.find(recipe.id);
    expect(third.view().counts).toMatchObject({ toReview: 8, toWrite: 0 });
    expect(third.items('to-review', 0, 50)).toEqual(again.items('to-review', 0, 50));
  });

  it('pauses in the middle, and goes on', async () => {
    const { server, recipe } = await openServed({ count: 5 });
    server.script = (request) => {
      if (request === 2) setImmediate(() => recipe.pause());
      return request === 2 ? { kind: 'stall' } : null;
    };
    await recipe.write(server.address, null);
    expect(recipe.view()).toMatchObject({
      state: 'resting',
      trouble: null,
      counts: { toReview: 2, toWrite: 3 },
    });
    server.script = () => null;
    await recipe.write(server.address, null);
    expect(recipe.view().counts).toMatchObject({ toReview: 5, toWrite: 0 });
  });

  it('is judged, edited, undone step by step, also after a restart', async () => {
    const { server, folder, recipe } = await openServed({ count: 3 });
    await recipe.write(server.address, null);
    const before = recipe.items('to-review', 0, 10);
    recipe.judge(0, 'accepted');
    recipe.judge(1, 'rejected');
    const edited = before[2]!.text.replace('You are welcome', 'With pleasure');
    expect(recipe.edit(2, edited)).toMatchObject({ edited: true, reasons: [] });
    recipe.judge(2, 'accepted');
    const opened = openRecipes(folder).recipes.find(recipe.id);
    expect(opened.view().counts).toMatchObject({ accepted: 2, rejected: 1, toReview: 0 });
    expect(opened.undo()).toMatchObject({ number: 2, verdict: null, text: edited });
    expect(opened.undo()).toMatchObject({ number: 2, edited: false, text: before[2]!.text });
    expect(opened.undo()?.number).toBe(1);
    expect(opened.undo()?.number).toBe(0);
    expect(opened.undo()).toBeNull();
    expect(openRecipes(folder).recipes.find(recipe.id).items('to-review', 0, 10)).toEqual(before);
  });

  it('becomes data of stage 2 of what was accepted, each picture once', async () => {
    const { server, recipe } = await openServed({ count: 4 });
    await recipe.write(server.address, null);
    const out = temporaryFolder();
    const file = (number: number): string => recipe.folder.pictureFile(number);
    await expect(writeDataFile(out, recipe.accepted(), file)).rejects.toEqual(badInput);
    for (const number of [0, 2, 3]) recipe.judge(number, 'accepted');
    recipe.judge(1, 'rejected');
    const train = await writeDataFile(out, recipe.accepted(), file);
    const rows = (JSON.parse(readFileSync(train, 'utf8')) as unknown[]).map((row) =>
      textbindConversationSchema.parse(row),
    );
    expect(rows).toHaveLength(3);
    for (const { conversation } of rows) {
      expect(conversation.map(({ role }) => role)).toEqual(
        conversation.map((_, at) => (at % 2 === 0 ? 'user' : 'assistant')),
      );
      for (const { image_list: images, caption_list: captions } of conversation) {
        for (const name of images) expect(existsSync(path.join(out, 'images', name))).toBe(true);
        for (const caption of captions) expect(captionsOfTest).toContain(caption);
      }
    }
  });

  it('asks by prompts that a person changed; restored, the changed ones are kept beside', async () => {
    const server = await startServer();
    const { recipe, recipePrompts } = openLooked(temporaryFolder(), planOf(server, { count: 2 }));
    const own = recipePrompts.folder();
    writeFileSync(path.join(own, 'instructions.md'), 'Write in Dutch.\n\n{{examples}}');
    await recipe.write(server.address, 1);
    expect(server.asked[0]!.system).toMatch(/^Write in Dutch\.[^]*Example 1[^]*Example 2/);
    recipe.makeExample(0);
    writeFileSync(path.join(own, 'request.md'), 'Write something.');
    expect(() => recipe.estimate()).toThrow(/has no \{\{pictures\}\}/);
    await recipe.write(server.address, null);
    expect(recipe.view().trouble?.message).toMatch(/has no \{\{pictures\}\}/);
    const kept = recipePrompts.restore('before');
    expect(readFileSync(path.join(kept!, 'request.md'), 'utf8')).toBe('Write something.');
    expect(readFileSync(path.join(own, 'instructions.md'), 'utf8')).toMatch(/\{\{examples\}\}/);
    await recipe.write(server.address, null);
    expect(server.asked.at(-1)!.system).not.toMatch(/Dutch/);
  });
});
