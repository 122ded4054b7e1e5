import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTensorFile, writeTensorFile } from '../../src/cli/tensors.ts';
import { textbindConversationSchema } from '../../src/shared/domain/textbind-conversation.ts';
import {
  openCheckpoint,
  quantiseMatrix,
  readFloats,
  readTensorBytes,
} from '../../src/worker/weights/index.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { textbind } from './textbind.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

const json = (result: { stdout(): string }): Record<string, unknown> =>
  JSON.parse(result.stdout()) as Record<string, unknown>;

const folder = temporaryFolderForAll();

/** A picture of one colour in that folder. */
async function paint(name: string, width: number, height: number, background: string) {
  const file = join(folder, name);
  await sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toFile(file);
  return file;
}

describe('calls that are at fault', () => {
  it.each([
    [['nope'], 2, /there is no command "nope"/],
    [['constructor'], 2, /there is no command/],
    [['chat', '--model', 'x'], 2, /--conversation is missing/],
    [['chat', '--what'], 2, /--what/],
    [
      ['chat', '--conversation', 'c', '--out', 'o', '--greedy', '--top-k', '4'],
      2,
      /--greedy goes without --top-k/,
    ],
    [['chat', '--conversation', 'c', '--out', 'o', '--top-p', '2'], 2, /--top-p 2: expected/],
    [
      ['chat', '--conversation', 'c', '--out', 'o', '--temperature', '9'],
      2,
      /--temperature 9: expected/,
    ],
    [['draw', '--model', 'x', '--prompt', 'p', '--out', 'o', '--steps', '0'], 2, /--steps 0/],
    [['draw', '--model', 'x', '--prompt', 'p', '--out', 'o', '--size', '8'], 2, /--size 8/],
    [['draw', '--model', 'x', '--prompts', '/nowhere', '--out', 'o'], 2, /--prompts \/nowhere/],
    [['draw', '--model', '/nowhere', '--prompt', 'p', '--out', 'o'], 1, /no textbind\.json/],
    [['probe', '--model', 'x', '--network', 'ear'], 2, /--network ear: expected one of vision/],
    [['import', '--vision', '/nowhere', '--language', '/n', '--out', '/tmp/x'], 2, /--vision/],
    [['tokens', '--model', 'x'], 2, /--conversation is missing/],
    [['evaluate', '--model', 'x', '--scenes', '/nowhere'], 1, /scenes\.json: cannot be read/],
  ])('textbind %j', async (args, code, message) => {
    const result = await textbind(...args);
    expect({ code: result.code, out: result.stdout() }).toEqual({ code, out: '' });
    expect(result.stderr()).toMatch(message);
    expect(result.stderr().trimEnd().split('\n')).toHaveLength(1);
  });

  it('says how it is used', async () => {
    const help = await textbind('help');
    expect(help.code).toBe(0);
    expect(help.stdout()).toMatch(/textbind chat .*\n.*textbind draw /);
    expect((await textbind()).code).toBe(2);
  });
});

describe.skipIf(noPython !== undefined)(`with a small model ${noPython ?? ''}`, () => {
  let parts = '';
  const model = join(folder, 'tiny');
  const importArgs = () => [
    'import',
    ...['--vision', join(parts, 'vision'), '--language', join(parts, 'language')],
    ...['--qformer', join(parts, 'qformer.safetensors')],
    ...['--qformer-config', join(parts, 'qformer-config.json')],
    ...['--sd-base', join(parts, 'image-decoder'), '--max-length', '128', '--json'],
  ];

  beforeAll(async () => {
    parts = runPython('tiny_model.py', ['2']);
    const { code } = await textbind(...importArgs(), '--name', 'Tiny', '--out', model);
    expect(code).toBe(0);
  }, 600_000);

  it('import refers to the parts, and will not overwrite a folder unasked', async () => {
    const manifest = JSON.parse(readFileSync(join(model, 'textbind.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(manifest).toMatchObject({ name: 'Tiny', languageModel: join(parts, 'language') });
    expect(readdirSync(model).sort()).toEqual(['processor', 'textbind.json']);
    expect((await textbind(...importArgs(), '--out', model)).code).toBe(2);
  });

  it('import --quantize writes a folder of its own, smaller and whole', async () => {
    const out = join(folder, 'tiny4');
    const result = await textbind(...importArgs(), '--out', out, '--quantize', 'int4');
    expect(result.code).toBe(0);
    expect(json(result)).toMatchObject({ canDraw: true });
    const config = JSON.parse(readFileSync(join(out, 'language', 'config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ quantization_config: { bits: 4 } });
    expect(
      existsSync(join(out, 'image-decoder', 'unet', 'diffusion_pytorch_model.safetensors')),
    ).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    const manifest = readFileSync(join(out, 'textbind.json'), 'utf8');
    expect(manifest).not.toContain(parts);
  });

  it('import lays a stage 2 checkpoint of PyTorch over the base', async () => {
    const out = join(folder, 'stage2');
    const args = importArgs();
    args.splice(args.indexOf('--qformer'), 2, '--checkpoint', join(parts, 'stage2.pt'));
    const result = await textbind(...args, '--out', out, '--copy');
    expect({ code: result.code, err: result.stderr() }).toMatchObject({ code: 0 });
    const manifest = JSON.parse(readFileSync(join(out, 'textbind.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({
      checkpoint: 'checkpoint/model.pt',
      languageModel: 'language',
    });
    const quantised = join(folder, 'stage2-int8');
    const small = await textbind(...args, '--out', quantised, '--quantize', 'int8', '--load');
    expect({ code: small.code, err: small.stderr() }).toEqual({ code: 0, err: '' });
    expect(json(small)).toMatchObject({ openedInSeconds: expect.any(Number) as number });
    // The checkpoint's language model has two rows more than its base, and other weights.
    const config = JSON.parse(
      readFileSync(join(quantised, 'language', 'config.json'), 'utf8'),
    ) as Record<string, number>;
    const base = JSON.parse(readFileSync(join(parts, 'language', 'config.json'), 'utf8')) as Record<
      string,
      number
    >;
    expect(config['vocab_size']).toBe(base['vocab_size']! + 2);
    const trained = readFloats(
      openCheckpoint(join(parts, 'stage2.pt')),
      'language_model.model.layers.1.mlp.down_proj.weight',
    );
    const stored = readTensorBytes(
      openCheckpoint(join(quantised, 'language')),
      'model.layers.1.mlp.down_proj.weight.q8',
    );
    expect(stored).toEqual(quantiseMatrix(trained, 64, 96, 8, 32).quantised);
  });

  it('probe --precision rounds what the model reads with, whatever the checkpoint holds', async () => {
    const imported = async (name: string, checkpoint: string) => {
      const args = importArgs();
      args.splice(args.indexOf('--qformer'), 2, '--checkpoint', join(parts, checkpoint));
      const out = join(folder, name);
      expect((await textbind(...args, '--out', out)).code).toBe(0);
      return out;
    };
    const input = join(parts, 'probe-language.safetensors');
    const logits = async (of: string, precision: string) => {
      const output = join(folder, `precision-${precision}.safetensors`);
      const args = ['--network', 'language', '--input', input, '--output', output];
      const result = await textbind('probe', '--model', of, ...args, '--precision', precision);
      expect({ code: result.code, err: result.stderr() }).toEqual({ code: 0, err: '' });
      return openTensorFile(output).floats('logits').data;
    };
    const eyesOnly = await imported('eyes-only', 'qformer.safetensors');
    const stage2 = await imported('stage2-probed', 'stage2.pt');
    for (const precision of ['int4', 'fp16']) {
      expect(await logits(eyesOnly, precision)).toEqual(await logits(model, precision));
      const [rounded, whole] = [await logits(stage2, precision), await logits(stage2, 'fp32')];
      expect(rounded).toHaveLength(whole.length);
      expect(rounded).not.toEqual(whole);
      expect(rounded).not.toEqual(await logits(model, precision));
    }
  });

  it('import leaves nothing behind where the parts do not fit together', async () => {
    const config = join(folder, 'wrong.json');
    const sizes = { numQueryTokens: 4, numHiddenLayers: 2, numAttentionHeads: 2 };
    writeFileSync(config, JSON.stringify({ ...sizes, hiddenSize: 64, intermediateSize: 48 }));
    const out = join(folder, 'wrong');
    const args = importArgs();
    args[args.indexOf('--qformer-config') + 1] = config;
    const { code } = await textbind(...args, '--out', out);
    expect(code).toBe(1);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it.each([
    'vision',
    'qformer',
    'language',
    'text_encoder',
    'text_encoder_2',
    'unet',
    'vae_decoder',
    'vae_encoder',
  ])('probe %s equals the reference', async (network) => {
    const input = join(parts, `probe-${network}.safetensors`);
    const output = join(folder, `${network}.safetensors`);
    const args = ['--model', model, '--network', network, '--input', input, '--output', output];
    expect((await textbind('probe', ...args)).code).toBe(0);
    const [given, made] = [openTensorFile(input), openTensorFile(output)];
    const names = given.names.filter((name) => name.startsWith('expected.'));
    expect(made.names.map((name) => `expected.${name}`).sort()).toEqual([...names].sort());
    for (const name of names) {
      const reference = given.floats(name);
      const ours = made.floats(name.replace('expected.', ''));
      expect(ours.dims).toEqual(reference.dims);
      const worst = Math.max(
        ...reference.data.map((value, at) => Math.abs(value - ours.data[at]!)),
      );
      expect(worst / Math.max(...reference.data.map(Math.abs)), name).toBeLessThan(1e-4);
    }
  });

  it('probe says what is missing in the input', async () => {
    const input = join(folder, 'empty.safetensors');
    writeTensorFile(input, { other: { dims: [1], data: Float32Array.of(1) } });
    const args = ['--network', 'vision', '--input', input, '--output', join(folder, 'x')];
    expect((await textbind('probe', '--model', model, ...args)).code).toBe(2);
  });

  it('draw writes a picture and its latents, the same for a seed', async () => {
    const draw = async (name: string, seed: string) => {
      const out = join(folder, `${name}.png`);
      const latents = join(folder, `${name}.safetensors`);
      const args = ['--model', model, '--prompt', 'a cat', '--steps', '3', '--size', '64x48'];
      const result = await textbind(
        ...['draw', ...args, '--seed', seed, '--out', out, '--save-latents', latents, '--json'],
      );
      expect(result.code).toBe(0);
      expect(json(result)).toMatchObject({ width: 64, height: 48, seed: Number(seed), steps: 3 });
      return { png: readFileSync(out), latents: openTensorFile(latents).floats('latents') };
    };
    const [first, again, other] = [
      await draw('a', '7'),
      await draw('b', '7'),
      await draw('c', '8'),
    ];
    expect(first.latents.dims).toEqual([1, 4, 6, 8]);
    expect(first.png.equals(again.png)).toBe(true);
    expect(first.png.equals(other.png)).toBe(false);
    expect(await sharp(first.png).metadata()).toMatchObject({ width: 64, height: 48 });
  });

  it('draw starts from a picture, and says which it cannot read', async () => {
    const from = await paint('from.png', 90, 60, '#208040');
    const out = join(folder, 'started.png');
    const draw = async (...more: string[]) => {
      const args = ['--model', model, '--prompt', 'a cat', '--steps', '3', '--size', '64x48'];
      const result = await textbind('draw', ...args, '--seed', '7', '--out', out, ...more);
      return { code: result.code, stderr: result.stderr(), png: readFileSync(out) };
    };
    const [plain, started, stronger] = [
      await draw(),
      await draw('--from', from),
      await draw('--from', from, '--strength', '1'),
    ];
    expect([plain, started, stronger].map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(started.png.equals(plain.png)).toBe(false);
    expect(started.png.equals(stronger.png)).toBe(false);
    const broken = await draw('--from', join(folder, 'nothing.png'));
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/nothing\.png: the picture cannot be read/);
    expect((await draw('--strength', '0.3')).code).toBe(2);
  });

  it('draw --prompts writes a picture a line, the one that --prompt and its seed draw', async () => {
    const prompts = join(folder, 'prompts.txt');
    writeFileSync(prompts, 'a cat\n\na dog\n');
    const rest = ['--model', model, '--steps', '3', '--size', '64x48', '--json'];
    const many = join(folder, 'many');
    const result = await textbind(
      'draw',
      '--prompts',
      prompts,
      '--seed',
      '7',
      '--out',
      many,
      ...rest,
    );
    expect(result.code).toBe(0);
    expect(json(result)).toMatchObject({ pictures: 2 });
    expect(readdirSync(many).sort()).toEqual(['001.png', '002.png']);
    const one = join(folder, 'dog.png');
    await textbind('draw', '--prompt', 'a dog', '--seed', '8', '--out', one, ...rest);
    expect(readFileSync(one).equals(readFileSync(join(many, '002.png')))).toBe(true);
  });

  it('chat appends a turn and writes a folder that stands on its own', async () => {
    await paint('photo.png', 30, 20, '#c03020');
    const file = join(folder, 'in.json');
    const user = { role: 'user', content: 'What is <image>?', image_list: ['photo.png'] };
    writeFileSync(file, JSON.stringify({ conversation: [{ ...user, caption_list: [] }] }));
    const chat = async (out: string) => {
      const args = ['--model', model, '--conversation', file, '--out', out, '--greedy'];
      return textbind(
        'chat',
        ...args,
        '--max-tokens',
        '12',
        '--steps',
        '1',
        '--seed',
        '3',
        '--json',
      );
    };
    const result = await chat(join(folder, 'chat1'));
    expect(result.code).toBe(0);
    const written = textbindConversationSchema.parse(
      JSON.parse(readFileSync(join(folder, 'chat1', 'conversation.json'), 'utf8')),
    );
    expect(written.conversation.map(({ role }) => role)).toEqual(['user', 'assistant']);
    for (const turn of written.conversation) {
      for (const name of turn.image_list)
        expect(existsSync(join(folder, 'chat1', name))).toBe(true);
    }
    expect(json(result)).toMatchObject({ usage: { replyTokens: expect.any(Number) as number } });
    await chat(join(folder, 'chat2'));
    const [first, again] = ['chat1', 'chat2'].map((name) =>
      readFileSync(join(folder, name, 'conversation.json'), 'utf8'),
    );
    expect(again).toBe(first);
  });

  it('chat samples as it is told: temperature 0 and top-k 1 are greedy', async () => {
    const file = join(folder, 'sampled.json');
    writeFileSync(file, JSON.stringify({ conversation: [{ role: 'user', content: 'Hi' }] }));
    const said = async (...sampling: string[]) => {
      const out = join(folder, 'sampled');
      const args = ['--model', model, '--conversation', file, '--out', out, '--no-draw'];
      const result = await textbind('chat', ...args, '--max-tokens', '6', ...sampling, '--json');
      expect(result.stderr()).toBe('');
      return json(result)['reply'];
    };
    const greedy = await said('--greedy');
    expect(await said('--temperature', '0')).toEqual(greedy);
    expect(await said('--temperature', '2', '--top-k', '1', '--seed', '5')).toEqual(greedy);
    const seeded = ['--temperature', '1.5', '--top-p', '0.95', '--top-k', '50', '--seed', '5'];
    expect(await said(...seeded)).toEqual(await said(...seeded));
  });

  it('chat refuses a conversation that does not end with the user, or lacks a picture', async () => {
    const cases = {
      'ends.json': [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
      ],
      'lacks.json': [{ role: 'user', content: 'See <image>', image_list: ['gone.png'] }],
      'counts.json': [{ role: 'user', content: 'See <image>', image_list: [] }],
    };
    for (const [name, conversation] of Object.entries(cases)) {
      const file = join(folder, name);
      writeFileSync(file, JSON.stringify({ conversation }));
      const args = ['--model', model, '--conversation', file, '--out', join(folder, 'never')];
      expect((await textbind('chat', ...args)).code, name).toBe(2);
    }
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });

  it('the installed command says the same, with its exit code', () => {
    const node = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node');
    const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
    const args = ['--disable-warning=ExperimentalWarning', main];
    const models = spawnSync(node, [...args, 'models', '--json'], { encoding: 'utf8' });
    expect(models.status).toBe(0);
    expect(JSON.parse(models.stdout)).toHaveProperty('models');
    const wrong = spawnSync(node, [...args, 'probe'], { encoding: 'utf8' });
    expect([wrong.status, wrong.stderr]).toEqual([2, 'textbind: --network is missing\n']);
    const bench = spawnSync(node, [...args, 'bench', '--only', 'nothing'], { encoding: 'utf8' });
    expect([bench.status, bench.stderr]).toEqual([
      2,
      expect.stringContaining('the sections are language'),
    ]);
  });

  it('keeps what drivers say while providers are tried off the terminal', () => {
    const node = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node');
    const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
    const args = ['--disable-warning=ExperimentalWarning', main, 'doctor', '--json'];
    const doctor = spawnSync(node, args, { encoding: 'utf8' });
    expect([doctor.status, doctor.stderr]).toEqual([0, '']);
    const { providers } = JSON.parse(doctor.stdout) as { providers: { provider: string }[] };
    expect(providers.map(({ provider }) => provider)).toEqual(['cuda', 'webgpu', 'cpu']);
  });
});
