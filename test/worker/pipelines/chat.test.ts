import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';
import type { PromptPart, PromptTurn } from '../../../src/shared/contracts/worker-protocol.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import type { PictureFile } from '../../../src/worker/inputs/image.ts';
import { replyTo, type ReplyContext } from '../../../src/worker/pipelines/chat/reply.ts';
import { Sequence } from '../../../src/worker/pipelines/language/sequence.ts';
import { createWordTokenizer } from '../inputs/word-tokenizer.ts';
import { ScriptedModel } from './scripted-model.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const tokenizer = createWordTokenizer();
const folder = temporaryFolderForAll();
const photo = join(folder, 'photo.png');
const drawnPng = Uint8Array.of(1, 2, 3);
const drawnFile = join(folder, 'drawn.png');
beforeAll(() => {
  writeFileSync(photo, 'photo');
  // Main stores a drawn picture's bytes as they are, so its name is the same in the next prompt.
  writeFileSync(drawnFile, drawnPng);
});

const text = (words: string): PromptPart => ({ kind: 'text', text: words });
const picture = (path: string): PromptPart => ({ kind: 'picture', path, caption: null });
const turn = (role: PromptTurn['role'], ...parts: PromptPart[]): PromptTurn => ({ role, parts });

function conversation(script: string, maxPositions = 1000) {
  const model = new ScriptedModel(tokenizer.encode(script));
  const sequence = new Sequence(model);
  const looked: string[] = [];
  return {
    model,
    sequence,
    looked,
    async reply(turns: PromptTurn[], changes: Partial<ReplyContext> = {}, maxNewTokens = 100) {
      const events: WorkerReplyEvent[] = [];
      const answer = await replyTo(
        {
          turns,
          sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens, seed: 1 },
          drawing: { steps: 1, guidance: 1, negative: '', seed: 1, enabled: true },
        },
        {
          language: model,
          tokenizer,
          vision: {
            embed: async ({ hash }) => {
              looked.push(hash);
              const positions = [0, 1, 2].map((index) => `${hash}/${index}`);
              return { positions, rows: Float32Array.of(1001, 1002, 1003) };
            },
          },
          sequence,
          maxPositions,
          queryTokens: 3,
          maxPictures: 4,
          draw: async (caption) => ({
            kind: 'picture',
            png: drawnPng,
            width: 8,
            height: 8,
            caption,
            recipe: { seed: 1, steps: 1, guidance: 1, model: 'm' },
            seconds: 0,
          }),
          emit: (event) => events.push(event),
          signal: new AbortController().signal,
          ...changes,
        },
      );
      return { ...answer, events };
    },
  };
}

describe('replyTo', () => {
  it('reads a picture at its place', async () => {
    const { reply, model } = conversation('A dog.</s>');
    const { finish, usage } = await reply([turn('user', text('See '), picture(photo))]);
    expect(finish).toBe('end');
    expect(model.fed[0]!.filter((row) => row > 1000)).toEqual([1001, 1002, 1003]);
    expect(usage.promptTokens).toBe(model.fed[0]!.length);
    expect(usage.firstTokenSeconds).toBeGreaterThanOrEqual(usage.prefillSeconds);
  });

  it('leaves out a picture that cannot be read, and says so', async () => {
    const { reply, model } = conversation('A dog.</s>Yes.</s>');
    const broken = join(folder, 'broken.png');
    writeFileSync(broken, 'broken');
    const vision = {
      embed: async ({ hash, bytes }: PictureFile) => {
        if (bytes.length === 6) throw new StudioError('bad-input', 'broken');
        const positions = [0, 1, 2].map((index) => `${hash}/${index}`);
        return { positions, rows: Float32Array.of(1001, 1002, 1003) };
      },
    };
    const turns = [turn('user', text('See '), picture(broken), picture('/gone'), picture(photo))];
    const { finish, events } = await reply(turns, { vision });
    expect(finish).toBe('end');
    expect(model.fed[0]!.filter((row) => row > 1000)).toEqual([1001, 1002, 1003]);
    const notices = events.flatMap((event) => (event.kind === 'notice' ? [event.notice] : []));
    expect(notices).toEqual([
      {
        code: 'picture-unreadable',
        message: '2 pictures of this conversation cannot be read; the model does not see them.',
      },
    ]);
    // A turn that was nothing else is still a turn: without it the reply before would be gone on with.
    const drawn = turn('assistant', text('A dog.'));
    const { events: later } = await reply([...turns, drawn, turn('user', picture(broken))], {
      vision,
    });
    expect(later.some((event) => event.kind === 'text' && event.text.includes('Yes'))).toBe(true);
    expect(tokenizer.spell(model.fed.at(-1)!)).not.toBe('');
  });

  it('does not read again what the turn before has read, pictures included', async () => {
    const { reply, model } = conversation('Here: <start> a cat <end> Nice?</s>Yes.</s>');
    const first = turn('user', text('Draw '), picture(photo));
    await reply([first]);
    const before = model.caches[0]!.rows.length;
    const drawn = turn('assistant', text('Here: '), picture(drawnFile), text(' Nice?'));
    const runs = model.fed.length;
    const { usage } = await reply([first, drawn, turn('user', text('Again'))]);
    const read = model.fed[runs]!.length;
    // Only the end of the old reply and the new turn: the cache held the rest.
    expect(tokenizer.spell(model.fed[runs]!)).toBe(' </s><s>[INST] Again [/INST]');
    expect(usage.promptTokens).toBe(before + read);
  });

  it('reads from the first difference on when the conversation was changed', async () => {
    const { reply, model } = conversation('One.</s>Two.</s>');
    await reply([turn('user', text('Hello there'))]);
    const runs = model.fed.length;
    await reply([turn('user', text('Hello you'))]);
    expect(tokenizer.spell(model.fed[runs]!)).toBe(' you [/INST]');
  });

  it('goes on with an unfinished reply, without a second space', async () => {
    const { reply, model } = conversation(' dog and a cat.</s>');
    const { events } = await reply([
      turn('user', text('Say')),
      turn('assistant', text('It is a ')),
    ]);
    expect(tokenizer.spell(model.fed[0]!)).toMatch(/It is a$/);
    expect(events.map((event) => (event.kind === 'text' ? event.text : '')).join('')).toBe(
      'dog and a cat.',
    );
  });

  it('says when old turns no longer fit, and keeps room for the reply', async () => {
    const { reply } = conversation('Ok.</s>', 32);
    const turns = [
      turn('user', text('one two three four five six seven eight nine ten')),
      turn('assistant', text('one two three four five six seven eight nine ten')),
      turn('user', text('Now?')),
    ];
    const { events, usage } = await reply(turns);
    const message = expect.stringContaining('the first exchange was left out.') as unknown;
    expect(events[0]).toMatchObject({
      kind: 'notice',
      notice: { code: 'context-trimmed', message },
    });
    expect(usage.promptTokens).toBeLessThanOrEqual(24);
  });

  it('hears Stop before a picture is looked at', async () => {
    const { reply, looked } = conversation('x</s>');
    const abort = new AbortController();
    abort.abort();
    const { finish } = await reply([turn('user', picture(photo))], { signal: abort.signal });
    expect({ finish, looked }).toEqual({ finish: 'cancelled', looked: [] });
  });
});
