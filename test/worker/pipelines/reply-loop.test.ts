import { describe, expect, it } from 'vitest';
import type { DrawnPicture, WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';
import {
  maxCaptionTokens,
  maxPicturesPerReply,
  writeReply,
  type ReplyLoopOptions,
} from '../../../src/worker/pipelines/chat/reply-loop.ts';
import { Sequence } from '../../../src/worker/pipelines/language/sequence.ts';
import { RandomNumbers } from '../../../src/worker/sampling/random.ts';
import { createWordTokenizer } from '../inputs/word-tokenizer.ts';
import { ScriptedModel } from './scripted-model.ts';

const tokenizer = createWordTokenizer();
/** What stands for a picture in the scripted model's context. */
const pictureRows = [1001, 1002, 1003];

function drawing(caption: string): DrawnPicture {
  return {
    kind: 'picture',
    png: Uint8Array.of(7),
    width: 8,
    height: 8,
    caption,
    recipe: { seed: 5, steps: 2, guidance: 5, model: 'scripted' },
    seconds: 0.1,
  };
}

interface Trial {
  /** What the model says, spelled; `|` only parts tokens for the reader. */
  readonly script: string;
  readonly options?: Partial<ReplyLoopOptions>;
  readonly control?: (model: ScriptedModel, abort: AbortController) => void;
}

async function reply({ script, options = {}, control }: Trial) {
  const model = new ScriptedModel(tokenizer.encode(script.replaceAll('|', '')));
  const sequence = new Sequence(model);
  const prompt = tokenizer.encode('<s>[INST] Draw [/INST]');
  sequence.feed(await sequence.stretchOf(prompt));
  const abort = new AbortController();
  control?.(model, abort);
  const events: WorkerReplyEvent[] = [];
  const result = await writeReply({
    sequence,
    tokenizer,
    sampling: { temperature: 0, topK: 0, topP: 1 },
    random: new RandomNumbers(1),
    maxNewTokens: 500,
    maxPositions: 1000,
    draw: async (caption) => drawing(caption),
    embed: async () => ({ positions: ['p/0', 'p/1', 'p/2'], rows: Float32Array.from(pictureRows) }),
    emit: (event) => events.push(event),
    signal: abort.signal,
    skipLeadingSpace: true,
    ...options,
  });
  const rows = model.caches[0]!.rows.slice(prompt.length);
  return {
    result,
    events,
    kinds: events.map((event) => event.kind),
    text: events.map((event) => (event.kind === 'text' ? event.text : '')).join(''),
    notices: events.flatMap((event) => (event.kind === 'notice' ? [event.notice.code] : [])),
    /** What the cache holds behind the prompt, pictures as their rows. */
    context: rows.map((row) => (row > 1000 ? `{${row - 1000}}` : tokenizer.spell([row]))).join(''),
    model,
    sequence,
  };
}

describe('writeReply', () => {
  it('writes text without a picture, and no white space at its ends', async () => {
    const { text, kinds, result } = await reply({ script: ' Hello there, you. </s>' });
    expect(text).toBe('Hello there, you.');
    expect(new Set(kinds)).toEqual(new Set(['text']));
    expect(result).toMatchObject({ finish: 'end', pictures: 0 });
    expect(result.replyTokens).toBe(tokenizer.encode(' Hello there, you. </s>').length);
  });

  it('draws a picture, and puts it where its caption stood', async () => {
    const { events, context, text, result } = await reply({
      script: 'Here: <start> a red apple <end> Nice? </s>',
    });
    expect(events.map((event) => event.kind)).toEqual([
      'text',
      'text',
      'caption-started',
      'caption-text',
      'caption-finished',
      'picture',
      'text',
    ]);
    expect(events).toContainEqual({ kind: 'caption-finished', caption: 'a red apple' });
    const picture = events.find((event) => event.kind === 'picture');
    expect(picture?.recipe).toEqual({ seed: 5, steps: 2, guidance: 5, model: 'scripted' });
    // The cache before <start> is restored exactly, and the picture's rows follow.
    expect(context).toBe('Here: {1}{2}{3} Nice? ');
    // Behind a picture a word marker stands for no space, as at the start of every stretch.
    expect(text).toBe('Here: Nice?');
    expect(result).toMatchObject({ finish: 'end', pictures: 1 });
  });

  it('says by name what the cache holds', async () => {
    const { sequence, model } = await reply({ script: 'A <start> b <end> c</s>' });
    const named = sequence.positions.map((position) =>
      typeof position === 'string' ? position : tokenizer.spell([position]),
    );
    expect(named.slice(-5)).toEqual([' ', 'p/0', 'p/1', 'p/2', ' c']);
    expect(named).toHaveLength(model.caches[0]!.rows.length);
  });

  it('draws two pictures, also side by side', async () => {
    const { context, kinds } = await reply({
      script: '<start> one <end><start> two <end> Done</s>',
    });
    expect(context).toBe('{1}{2}{3}{1}{2}{3} Done');
    expect(kinds.filter((kind) => kind === 'picture')).toHaveLength(2);
  });

  it('gives the drawing its caption, progress and signal', async () => {
    const captions: string[] = [];
    const { kinds } = await reply({
      script: '<start> a cat, asleep <end></s>',
      options: {
        draw: async (caption, onProgress, signal) => {
          captions.push(caption);
          expect(signal.aborted).toBe(false);
          onProgress({
            kind: 'drawing-step',
            step: 1,
            steps: 2,
            secondsLeft: 1,
            preview: null,
            width: 8,
            height: 8,
          });
          return drawing(caption);
        },
      },
    });
    expect(captions).toEqual(['a cat, asleep']);
    expect(kinds).toContain('drawing-step');
  });

  it('takes back an <end> without <start>, and goes on', async () => {
    const { text, notices, context } = await reply({ script: 'One<end> two<end> three</s>' });
    expect(text).toBe('One two three');
    expect(notices).toEqual(['stray-end']);
    expect(context).toBe('One two three');
  });

  it('takes back an <image> and a second <start>', async () => {
    const { text, events, context } = await reply({
      script: 'One<image> two <start> a<start> b<image> c <end></s>',
    });
    expect(text).toBe('One two ');
    expect(events).toContainEqual({ kind: 'caption-finished', caption: 'a b c' });
    expect(context).toBe('One two {1}{2}{3}');
  });

  it('never takes a banned token even if the model insists', async () => {
    const { context } = await reply({ script: 'One<end><end> two</s>' });
    expect(context).toBe('One<unk> two');
  });

  it('cuts a caption that never ends, draws it, and goes on', async () => {
    const endless = ' word'.repeat(maxCaptionTokens);
    const { notices, events, context } = await reply({
      script: `See: <start>${endless} on</s>`,
    });
    expect(notices).toEqual(['caption-cut']);
    expect(events).toContainEqual({ kind: 'caption-finished', caption: endless.trim() });
    expect(context).toBe('See: {1}{2}{3} on');
  });

  it('takes an end of turn inside a caption for its end', async () => {
    const { notices, kinds, result } = await reply({ script: '<start> a dog</s> ok</s>' });
    expect(notices).toEqual(['caption-cut']);
    expect(kinds).toContain('picture');
    expect(result.finish).toBe('end');
  });

  it.each(['<start><end>', '<start>   <end>'])('leaves out an empty caption %s', async (empty) => {
    const { notices, kinds, context, text } = await reply({ script: `One ${empty} two</s>` });
    expect(notices).toEqual(['caption-empty']);
    expect(new Set(kinds)).toEqual(new Set(['text', 'notice']));
    expect(context).toBe('One  two');
    expect(text).toBe('One  two');
  });

  it('draws no more pictures than the model was trained to put into a reply', async () => {
    const { kinds, notices, context } = await reply({
      script: '<start> x <end> and <start> another</s>',
      options: { maxPictures: 1 },
    });
    expect(kinds.filter((kind) => kind === 'picture')).toHaveLength(1);
    expect(notices).toEqual(['too-many-pictures']);
    expect(context).toMatch(/ and {2}another$/);
  });

  it('counts the pictures that a reply which goes on has already', async () => {
    const { kinds, notices } = await reply({
      script: ' and <start> another</s>',
      options: { maxPictures: 1, picturesBefore: 1 },
    });
    expect(kinds).not.toContain('picture');
    expect(notices).toEqual(['too-many-pictures']);
  });

  it('draws no more pictures than a reply may have', async () => {
    const one = '<start> x <end>';
    const { kinds, notices, context } = await reply({
      script: `${one.repeat(maxPicturesPerReply)}<start> no <start> more</s>`,
    });
    expect(kinds.filter((kind) => kind === 'picture')).toHaveLength(maxPicturesPerReply);
    expect(notices).toEqual(['too-many-pictures']);
    expect(context).toMatch(/ no {2}more$/);
  });

  it('goes on after a drawing that fails, with the caption as words', async () => {
    const { events, context, result } = await reply({
      script: 'See: <start> a cat <end> Sorry.</s>',
      options: {
        draw: async () => {
          throw new Error('out of paint');
        },
      },
    });
    expect(events.find((event) => event.kind === 'drawing-failed')).toMatchObject({
      caption: 'a cat',
      error: { kind: 'internal', message: 'out of paint' },
    });
    expect(context).toBe('See: (a cat) Sorry.');
    expect(result).toMatchObject({ finish: 'end', pictures: 0 });
  });

  it('does not try again right behind a drawing that failed, but does after words', async () => {
    const { kinds, context } = await reply({
      script: '<start> a cat <end><start> Sorry. <start> a dog <end></s>',
      options: {
        draw: async () => {
          throw new Error('out of paint');
        },
      },
    });
    expect(kinds.filter((kind) => kind === 'drawing-failed')).toHaveLength(2);
    expect(context).toBe('(a cat) Sorry. (a dog)');
  });

  it('fails as a whole when a drawn picture cannot be read', async () => {
    const failing = reply({
      script: '<start> a cat <end></s>',
      options: {
        embed: async () => {
          throw new Error('no eyes');
        },
      },
    });
    await expect(failing).rejects.toThrow('no eyes');
  });

  it('ends at the token limit, in the middle of text', async () => {
    const { text, result } = await reply({
      script: 'a b c d e f g',
      options: { maxNewTokens: 3 },
    });
    expect(text).toBe('a b c');
    expect(result).toMatchObject({ finish: 'length', replyTokens: 3 });
  });

  it('cuts a caption at the token limit, and still draws it', async () => {
    const { events, result } = await reply({
      script: 'a <start> b c d e f',
      options: { maxNewTokens: 5 },
    });
    expect(events).toContainEqual({ kind: 'caption-finished', caption: 'b c' });
    expect(result).toMatchObject({ finish: 'length', pictures: 1, replyTokens: 5 });
  });

  it('draws a caption whose last token before the limit is refused', async () => {
    // Six tokens, of which the last makes no sense in a caption.
    const { events, notices, result } = await reply({
      script: 'a <start> b c<start> d',
      options: { maxNewTokens: 6 },
    });
    expect(events).toContainEqual({ kind: 'caption-finished', caption: 'b c' });
    expect(notices).toEqual(['caption-cut']);
    expect(result).toMatchObject({ finish: 'length', pictures: 1 });
  });

  it('ends when the context is full, never inside a picture', async () => {
    const prompt = tokenizer.encode('<s>[INST] Draw [/INST]').length;
    const full = await reply({ script: 'a b c d e', options: { maxPositions: prompt + 2 } });
    expect(full.result.finish).toBe('length');
    // Two positions are read, and the token behind them is said.
    expect(full.text).toBe('a b c');
    const picture = await reply({
      script: 'a <start> b <end> c d e f',
      options: { maxPositions: prompt + 4 },
    });
    expect(picture.result).toMatchObject({ finish: 'length', pictures: 1 });
    expect(picture.context).toBe('a ');
  });

  it('is silent about half a character until it is whole, and flushes at the end', async () => {
    const bytes = [...new TextEncoder().encode('é')].map((byte) =>
      tokenizer.id(`<0x${byte.toString(16).toUpperCase()}>`),
    );
    const model = new ScriptedModel([...bytes, bytes[0]!, tokenizer.endOfTurnId]);
    const sequence = new Sequence(model);
    sequence.feed(await sequence.stretchOf([1]));
    const events: WorkerReplyEvent[] = [];
    await writeReply({
      sequence,
      tokenizer,
      sampling: { temperature: 0, topK: 0, topP: 1 },
      random: new RandomNumbers(1),
      maxNewTokens: 50,
      maxPositions: 100,
      draw: async (caption) => drawing(caption),
      embed: async () => ({ positions: [], rows: new Float32Array(0) }),
      emit: (event) => events.push(event),
      signal: new AbortController().signal,
      skipLeadingSpace: true,
    });
    expect(events.map((event) => (event.kind === 'text' ? event.text : '')).join('')).toBe(
      'é\ufffd',
    );
  });
});

describe('Stop', () => {
  it('in text keeps what was said', async () => {
    const { result, text, model, sequence } = await reply({
      script: 'a b c d e f g h i j k',
      control: (model, abort) => {
        model.beforeRun = (run) => {
          if (run === 2) abort.abort();
        };
      },
    });
    expect(result.finish).toBe('cancelled');
    // The run that was under way is finished (1 and 4 tokens), and no further one begins.
    expect(text).toBe('a b c d e');
    expect(sequence.positions).toHaveLength(model.caches[0]!.rows.length);
  });

  it('before the first token says nothing', async () => {
    const { result, events } = await reply({
      script: 'a b',
      control: (_, abort) => abort.abort(),
    });
    expect(events).toEqual([]);
    expect(result).toMatchObject({ finish: 'cancelled', replyTokens: 0, prefillSeconds: null });
  });

  it('in a caption keeps it as one that can be drawn later', async () => {
    const { result, events, context } = await reply({
      script: 'a <start> b c d e f g h <end>',
      control: (model, abort) => {
        model.beforeRun = (run) => {
          if (run === 3) abort.abort();
        };
      },
    });
    expect(result.finish).toBe('cancelled');
    const caption = 'b c d e f g h';
    expect(events.map((event) => event.kind)).not.toContain('picture');
    expect(events).toContainEqual({ kind: 'caption-finished', caption });
    expect(events.at(-1)).toMatchObject({ kind: 'drawing-failed', error: { kind: 'cancelled' } });
    expect(context).toBe('a ');
  });

  it('in a drawing keeps the caption', async () => {
    let stop = (): void => {};
    const { result, events } = await reply({
      script: '<start> a cat <end> never',
      control: (_model, abort) => {
        stop = () => abort.abort();
      },
      options: {
        draw: (_, __, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')));
            setImmediate(stop);
          }),
      },
    });
    expect(result).toMatchObject({ finish: 'cancelled', pictures: 0 });
    expect(events.at(-1)).toMatchObject({
      kind: 'drawing-failed',
      caption: 'a cat',
      error: { kind: 'cancelled' },
    });
  });

  it('after a drawing, before it is read, keeps the picture', async () => {
    const abort = new AbortController();
    const { result, events, context } = await reply({
      script: 'x <start> a cat <end> never',
      options: {
        signal: abort.signal,
        draw: async (caption) => {
          setImmediate(() => abort.abort());
          return drawing(caption);
        },
      },
    });
    expect(result).toMatchObject({ finish: 'cancelled', pictures: 1 });
    expect(events.at(-1)?.kind).toBe('picture');
    expect(context).toBe('x ');
  });

  it('while a long prompt is read, leaves the names and the cache in step', async () => {
    const model = new ScriptedModel([]);
    const sequence = new Sequence(model);
    sequence.feed(await sequence.stretchOf(Array.from({ length: 1000 }, (_, id) => id + 10)));
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error('stop')));
    await expect(sequence.readAhead(abort.signal)).rejects.toThrow('stop');
    expect(sequence.positions.length).toBeGreaterThan(0);
    expect(sequence.positions.length).toBeLessThan(1000);
    expect(model.caches[0]!.rows).toEqual(sequence.positions);
  });
});

describe('Sequence', () => {
  it('knows what a next prompt has in common, and always leaves one position to read', async () => {
    const sequence = new Sequence(new ScriptedModel([5, 6, 7, 2]));
    sequence.feed(await sequence.stretchOf([1, 2, 3]));
    await sequence.decode({
      maxTokens: 4,
      stopIds: [2],
      sampling: { temperature: 0, topK: 0, topP: 1 },
      uniforms: new Float32Array(4),
    });
    expect(sequence.positions).toEqual([1, 2, 3, 5, 6, 7]);
    expect(sequence.sharedLength([1, 2, 3, 5, 6, 7, 2, 9])).toBe(6);
    expect(sequence.sharedLength([1, 2, 3, 5, 6, 7])).toBe(5);
    expect(sequence.sharedLength([1, 2, 'p/0'])).toBe(2);
    expect(sequence.sharedLength([9])).toBe(0);
  });
});

describe('a wish for pictures', () => {
  it('begins the reply with one: the model says which', async () => {
    const { kinds, context, result, text } = await reply({
      script: ' a red apple <end> Nice? </s>',
      options: { beginWithPicture: true },
    });
    expect(kinds[0]).toBe('caption-started');
    expect(kinds.indexOf('caption-finished')).toBeLessThan(kinds.indexOf('text'));
    expect(kinds.filter((kind) => kind === 'picture')).toHaveLength(1);
    // Nothing of <start> and the caption stays: the picture stands right behind the prompt.
    expect(context).toBe('{1}{2}{3} Nice? ');
    expect(text).toBe('Nice?');
    expect(result).toMatchObject({ finish: 'end', pictures: 1 });
  });

  it.each(['<end>', '</s>', '<start>'])('lets no %s stand in for the caption', async (token) => {
    const { events, notices } = await reply({
      script: `${token} a pear <end> Good.</s>`,
      options: { beginWithPicture: true },
    });
    expect(events).toContainEqual({ kind: 'caption-finished', caption: 'a pear' });
    expect(notices).toEqual([]);
  });

  it('reads a prompt of many runs to its end before it begins', async () => {
    const model = new ScriptedModel(tokenizer.encode(' a plum <end></s>'));
    const sequence = new Sequence(model);
    const prompt = tokenizer.encode(`<s>[INST] ${'word '.repeat(400)}[/INST]`);
    sequence.feed(await sequence.stretchOf(prompt));
    const events: WorkerReplyEvent[] = [];
    await writeReply({
      ...{ sequence, tokenizer, maxNewTokens: 50, maxPositions: 5000, skipLeadingSpace: true },
      sampling: { temperature: 0, topK: 0, topP: 1 },
      random: new RandomNumbers(1),
      draw: async (caption) => drawing(caption),
      embed: async () => ({ positions: ['p/0'], rows: Float32Array.of(1001) }),
      emit: (event) => events.push(event),
      signal: new AbortController().signal,
      beginWithPicture: true,
    });
    expect(events).toContainEqual({ kind: 'caption-finished', caption: 'a plum' });
    expect(sequence.positions.slice(0, prompt.length)).toEqual(prompt);
    expect(sequence.positions[prompt.length]).toBe('p/0');
  });

  it('for words alone leaves the picture out, and says nothing about it', async () => {
    const { kinds, notices, context, result } = await reply({
      script: 'Here: <start> you are. </s>',
      options: { wordsOnly: true },
    });
    expect(new Set(kinds)).toEqual(new Set(['text']));
    expect(notices).toEqual([]);
    expect(context).toBe('Here:  you are. ');
    expect(result).toMatchObject({ finish: 'end', pictures: 0 });
  });
});
