// The local server over the real engine with the embedded model, asked by the official client.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import OpenAI from 'openai';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { openLocalEngine, type LocalEngine } from '../../src/cli/local-engine.ts';
import { until } from '../main/support/node-spawn.ts';
import { scene } from '../e2e/harness/scenes.ts';
import { bytesOf, embeddedModel, imagesOf, serve, type Served } from './support.ts';

const patience = 300_000;
const model = 'textbind-mini';
let engine: LocalEngine;
let served: Served;

beforeAll(async () => {
  const never = new AbortController().signal;
  engine = await openLocalEngine({ folder: embeddedModel, provider: 'cpu' }, silentLogger, never);
  served = await serve(engine.served);
}, patience);
afterAll(async () => {
  await served?.close();
  await engine?.close();
});

/** Few steps: what is drawn does not matter here. */
const quick = { textbind: { steps: 3 } } as object;
const say = (content: string): OpenAI.ChatCompletionMessageParam => ({ role: 'user', content });
const words = { modalities: ['text'] as 'text'[] };
const greeting = {
  ...{ model, messages: [say('Hello, how are you?')], temperature: 0, max_tokens: 24 },
  ...words,
};

function dataUrl(file: string): string {
  return `data:image/jpeg;base64,${readFileSync(file).toString('base64')}`;
}

describe('the official client', () => {
  it('lists the open model', async () => {
    const { data } = await served.client.models.list();
    expect(data).toMatchObject([{ id: model, object: 'model' }]);
    expect(await served.client.models.retrieve(model)).toMatchObject({ id: model });
    await expect(served.client.models.retrieve('gpt-4o')).rejects.toMatchObject({ status: 404 });
  });

  it('is answered in words', { timeout: patience }, async () => {
    const answer = await served.client.chat.completions.create(greeting);
    const [choice] = answer.choices;
    expect(choice?.message.content?.length).toBeGreaterThan(3);
    expect(imagesOf(choice!.message)).toEqual([]);
    expect(['stop', 'length']).toContain(choice?.finish_reason);
    expect(answer.usage?.completion_tokens).toBeGreaterThan(1);
    expect(answer.usage?.completion_tokens).toBeLessThanOrEqual(24);
  });

  it('is given the same in pieces as in one', { timeout: patience }, async () => {
    const request = {
      ...{ model, messages: [say('Tell me about the sea.')], temperature: 0, max_tokens: 32 },
      ...words,
    };
    // Asked for the second time the whole question is in the cache: a third time is no different from that.
    await served.client.chat.completions.create(request);
    const whole = await served.client.chat.completions.create(request);
    const pieces: string[] = [];
    const stream = await served.client.chat.completions.create({
      ...request,
      ...{ stream: true, stream_options: { include_usage: true } },
    });
    let usage: OpenAI.CompletionUsage | null | undefined = null;
    let finish: string | null | undefined = null;
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      if (choice?.delta.content) pieces.push(choice.delta.content);
      finish = choice?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(whole.choices[0]?.message.content);
    expect(finish).toBe(whole.choices[0]?.finish_reason);
    expect(usage).toMatchObject(whole.usage!);
  });

  it('shows a picture and is told what is in it', { timeout: patience }, async () => {
    const { file, mainObject } = scene(0);
    const content: OpenAI.ChatCompletionContentPart[] = [
      { type: 'image_url', image_url: { url: dataUrl(file) } },
      { type: 'text', text: 'What is in this picture?' },
    ];
    const request = { model, temperature: 0, max_tokens: 40, ...words };
    const seen = await served.client.chat.completions.create({
      ...request,
      messages: [{ role: 'user', content }],
    });
    const blind = await served.client.chat.completions.create({
      ...request,
      messages: [say('What is in this picture?')],
    });
    expect(seen.usage!.prompt_tokens).toBeGreaterThanOrEqual(blind.usage!.prompt_tokens + 32);
    expect(seen.choices[0]?.message.content?.toLowerCase()).toContain(mainObject.toLowerCase());
    // Nothing of it is left on the disk.
    expect(existsSync(served.folder) ? readdirSync(served.folder) : []).toEqual([]);
  });

  it('is drawn a picture, and shows it again a turn later', { timeout: patience }, async () => {
    const ask = say('Draw a red apple on a table.');
    const request = { model, temperature: 0, max_tokens: 60, seed: 7 };
    const stream = await served.client.chat.completions.create({
      ...request,
      ...{ messages: [ask], stream: true, modalities: ['image'] as unknown as ['text'] },
      ...quick,
    });
    let content = '';
    const images = [];
    for await (const { choices } of stream) {
      content += choices[0]?.delta.content ?? '';
      images.push(...imagesOf(choices[0]?.delta ?? {}));
    }
    expect(images).toHaveLength(1);
    const [image] = images;
    expect(content).toContain(`(textbind-picture:${image!.hash})`);
    expect(await sharp(bytesOf(image!.image_url.url)).metadata()).toMatchObject({
      format: 'png',
      width: 128,
    });
    // Only the words are sent back, as most clients do.
    const next = { ...request, max_tokens: 8, ...words };
    const after = say('What did you draw?');
    const withPicture = await served.client.chat.completions.create({
      ...next,
      messages: [ask, { role: 'assistant', content }, after],
    });
    const forgotten = content.replaceAll(image!.hash, '0'.repeat(64));
    const withCaption = await served.client.chat.completions.create({
      ...next,
      messages: [ask, { role: 'assistant', content: forgotten }, after],
    });
    const caption = image!.caption.split(' ').length;
    expect(withPicture.usage!.prompt_tokens).toBeGreaterThan(
      withCaption.usage!.prompt_tokens + 32 - 3 * caption - 6,
    );
    expect(withPicture.usage!.prompt_tokens).not.toBe(withCaption.usage!.prompt_tokens);
  });

  it('has pictures drawn of a prompt', { timeout: patience }, async () => {
    const request = { model, prompt: 'a blue ball', n: 2, size: '128x128', ...quick, seed: 5 };
    const drawn = await served.client.images.generate(request as OpenAI.ImageGenerateParams);
    const pictures = (drawn as OpenAI.ImagesResponse).data ?? [];
    expect(pictures).toHaveLength(2);
    const [first, second] = pictures.map(({ b64_json }) => b64_json ?? '');
    expect(first).not.toBe(second);
    expect(await sharp(Buffer.from(first!, 'base64')).metadata()).toMatchObject({ width: 128 });
    const again = await served.client.images.generate({
      ...request,
      n: 1,
    } as OpenAI.ImageGenerateParams);
    expect((again as OpenAI.ImagesResponse).data?.[0]?.b64_json).toBe(first);
    await expect(
      served.client.images.generate({ model, prompt: 'x', size: '130x130' as 'auto' }),
    ).rejects.toMatchObject({ status: 400, param: 'size' });
  });

  it('ends a reply at a stop word', { timeout: patience }, async () => {
    const whole = await served.client.chat.completions.create(greeting);
    const said = whole.choices[0]!.message.content!;
    const stop = said.slice(8, 12);
    const cut = await served.client.chat.completions.create({ ...greeting, stop });
    expect(cut.choices[0]?.message.content).toBe(said.slice(0, said.indexOf(stop)));
    expect(cut.choices[0]?.finish_reason).toBe('stop');
  });

  it('may say what stands before the conversation', { timeout: patience }, async () => {
    const request = { model, temperature: 0, max_tokens: 4, ...words };
    const bare = await served.client.chat.completions.create({
      ...request,
      messages: [say('Hello')],
    });
    const system = await served.client.chat.completions.create({
      ...request,
      messages: [{ role: 'system', content: 'You are a pirate.' }, say('Hello')],
    });
    expect(system.usage!.prompt_tokens).toBeGreaterThan(bare.usage!.prompt_tokens + 4);
  });

  it('is refused what would change the answer and is not followed', async () => {
    const request = { model, messages: [say('Hello')] };
    const refused: [Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>, string][] = [
      [{ n: 2 }, 'n'],
      [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
      [{ response_format: { type: 'json_object' } }, 'response_format'],
      [{ logprobs: true }, 'logprobs'],
      [{ presence_penalty: 1 }, 'presence_penalty'],
      [{ temperature: 5 }, 'temperature'],
      [{ model: 'gpt-4o' }, 'model'],
      [{ messages: [] }, 'messages'],
      [{ messages: [{ role: 'assistant', content: 'I' }] }, 'messages'],
      [{ messages: [{ role: 'tool', content: 'x', tool_call_id: '1' }] }, 'messages.0.role'],
    ];
    for (const [change, param] of refused) {
      const asked = served.client.chat.completions.create({ ...request, ...change });
      await expect(asked).rejects.toMatchObject({ param });
      await expect(asked).rejects.toBeInstanceOf(OpenAI.APIError);
    }
    const harmless = { n: 1, tools: [], logprobs: false, presence_penalty: 0, max_tokens: 1 };
    await served.client.chat.completions.create({ ...request, ...harmless, ...words });
  });

  it('is told which picture cannot be read', async () => {
    const ask = (url: string) =>
      served.client.chat.completions.create({
        model,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look:' },
              { type: 'image_url', image_url: { url } },
            ],
          },
        ],
      });
    const at = { status: 400, param: 'messages.0.content.1.image_url', code: 'invalid_image' };
    await expect(ask('https://example.com/cat.png')).rejects.toMatchObject(at);
    await expect(ask('file:///etc/passwd')).rejects.toMatchObject(at);
    await expect(ask('data:image/png;base64,????')).rejects.toMatchObject(at);
    await expect(ask('data:image/png;base64,AAAA')).rejects.toMatchObject(at);
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const cut = png.subarray(0, png.length / 2).toString('base64');
    await expect(ask(`data:image/png;base64,${cut}`)).rejects.toMatchObject(at);
    expect(existsSync(served.folder) ? readdirSync(served.folder) : []).toEqual([]);
  });

  it('is told that its message is too long', { timeout: patience }, async () => {
    const long = say('word '.repeat(3000));
    await expect(
      served.client.chat.completions.create({ model, messages: [long] }),
    ).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' });
  });
});

describe('the line', () => {
  it('serves ten clients at once, each its own answer', { timeout: patience }, async () => {
    const numbers = Array.from({ length: 10 }, (_, index) => index);
    const request = { model, temperature: 0, max_tokens: 6, ...words };
    // The length of the question says whose answer it is; what is said may differ with what is cached.
    const question = (index: number) => [say(`Say it${' again'.repeat(index)}.`)];
    const answers = await Promise.all(
      numbers.map(async (index) => {
        const client = new OpenAI({
          ...{ apiKey: served.key, baseURL: served.server.address, maxRetries: 0 },
        });
        const stream = await client.chat.completions.create({
          ...request,
          ...{ messages: question(index), stream: true, stream_options: { include_usage: true } },
        });
        const answer = { said: '', promptTokens: 0 };
        for await (const { choices, usage } of stream) {
          answer.said += choices[0]?.delta.content ?? '';
          answer.promptTokens = usage?.prompt_tokens ?? answer.promptTokens;
        }
        return answer;
      }),
    );
    const [first] = answers;
    expect(answers.map(({ promptTokens }) => promptTokens - first!.promptTokens)).toEqual(numbers);
    expect(answers.every(({ said }) => said.length > 0)).toBe(true);
    expect(served.server.state).toEqual({ active: false, waiting: 0 });
  });

  it('lets one who asks once pass one who asks for much', { timeout: patience }, async () => {
    const ended: string[] = [];
    const ask = async (user: string, name: string) => {
      await served.client.chat.completions.create({
        ...{ model, user, messages: [say('Hello')], max_tokens: 4, temperature: 0, ...words },
      });
      ended.push(name);
    };
    const greedy = Array.from({ length: 5 }, (_, index) => ask('greedy', `greedy ${index}`));
    await until(() => served.server.state.waiting === 4, 'four wait');
    await Promise.all([...greedy, ask('modest', 'modest')]);
    expect(ended.indexOf('modest')).toBeLessThanOrEqual(2);
  });

  it('leaves off when a client goes', { timeout: patience }, async () => {
    const leaving = new AbortController();
    const request = { model, messages: [say('Tell me a long story.')], max_tokens: 600 };
    const stream = await served.client.chat.completions.create(
      { ...request, stream: true, temperature: 0.9, ...words },
      { signal: leaving.signal },
    );
    const waiting = served.client.chat.completions.create(
      { ...request, messages: [say('I wait.')], max_tokens: 2, ...words },
      { signal: leaving.signal },
    );
    const gone = expect(waiting).rejects.toThrow();
    for await (const { choices } of stream) if (choices[0]?.delta.content) break;
    leaving.abort();
    await gone;
    await until(() => {
      const { active, waiting: more } = served.server.state;
      return !active && more === 0;
    }, 'the engine is free');
    // It hears the next one at once.
    const next = await served.client.chat.completions.create({
      ...{ model, messages: [say('Hello')], max_tokens: 2, ...words },
    });
    expect(next.choices).toHaveLength(1);
  });

  it(
    'leaves the engine to its owner, and goes on where it was',
    { timeout: patience },
    async () => {
      const messages = [say('Tell me about the sea, the wind and the ships.')];
      const request = { model, messages, temperature: 0, max_tokens: 120, ...words };
      const stream = await served.client.chat.completions.create({ ...request, stream: true });
      let said = '';
      let own: Promise<{ finish: string }> | null = null;
      let ownEnded = false;
      let saidAtOwnEnd = '';
      let finish: string | null | undefined = null;
      for await (const { choices } of stream) {
        said += choices[0]?.delta.content ?? '';
        finish = choices[0]?.finish_reason ?? finish;
        if (own === null && said !== '') {
          const { sampling, drawing } = engine.served.defaults();
          own = engine.own.request('chat.reply', {
            turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
            sampling: { ...sampling, maxNewTokens: 8 },
            drawing,
            wish: 'words',
          });
          void own.then(() => {
            ownEnded = true;
            saidAtOwnEnd = said;
          });
        }
      }
      expect(ownEnded).toBe(true);
      // The owner's came in between: it ended before the client's did.
      expect(said.length).toBeGreaterThan(saidAtOwnEnd.length);
      expect(finish).toBe('stop');
      // It is one reply: nothing is said twice, and no two words run together.
      expect(said).toMatch(/^[A-Z].*[.!?]\s*$/s);
      expect(said).not.toMatch(/[a-z][A-Z]|[.!?][A-Za-z]/);
    },
  );

  it('draws anew what was recalled, the same picture', { timeout: patience }, async () => {
    const request = { model, prompt: 'a green tree', seed: 11, textbind: { steps: 12 } };
    const generate = async () =>
      (
        (await served.client.images.generate(
          request as OpenAI.ImageGenerateParams,
        )) as OpenAI.ImagesResponse
      ).data?.[0]?.b64_json;
    const undisturbed = await generate();
    const drawing = generate();
    await until(() => served.server.state.active, 'it draws');
    const { sampling, drawing: settings } = engine.served.defaults();
    await engine.own.request('chat.reply', {
      turns: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
      sampling: { ...sampling, maxNewTokens: 2 },
      drawing: settings,
      wish: 'words',
    });
    expect(await drawing).toBe(undisturbed);
  });
});
