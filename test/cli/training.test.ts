import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openTensorFile, writeTensorFile } from '../../src/cli/tensors.ts';
import { trainerEventSchema } from '../../src/shared/contracts/trainer-protocol.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { textbind } from './textbind.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

/** Each start of PyTorch takes seconds, on a busy machine many. */
vi.setConfig({ testTimeout: 300_000 });

const root = join(import.meta.dirname, '..', '..');
const folder = temporaryFolderForAll();

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** Commands with the real trainer: a BLIP-2 folder taken apart, data looked through, both stages begun. */
describe.skipIf(noPython !== undefined)(`training by the command line ${noPython ?? ''}`, () => {
  let parts = '';
  beforeAll(() => {
    parts = runPython('tiny_training.py');
  }, 120_000);

  const runFile = (name: string, fields: object): string => {
    const extracted = join(folder, 'extracted');
    const content = {
      stage: 1,
      model: {
        visionModel: join(extracted, 'vision'),
        processor: join(extracted, 'vision'),
        languageModel: join(parts, 'language'),
        qformer: join(extracted, 'qformer.safetensors'),
        qformerConfig: readJson(join(extracted, 'qformer-config.json')),
      },
      data: { tars: join(parts, 'tars', '00000.tar') },
      output: name,
      ...{ steps: 2, batchSize: 2, microBatchSize: 2, warmupSteps: 1, maxLength: 200 },
      ...{ learningRate: 0.001, logEvery: 1, threads: 1, precision: 'fp32' },
      ...fields,
    };
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(content));
    return file;
  };

  it('extract writes what the engine and stage 1 begin with', async () => {
    const out = join(folder, 'extracted');
    const result = await textbind(
      'extract',
      '--blip2',
      join(parts, 'blip2'),
      '--out',
      out,
      '--json',
    );
    expect(result.stderr()).toBe('');
    expect(readdirSync(out).sort()).toEqual([
      'qformer-config.json',
      'qformer.safetensors',
      'vision',
    ]);
    expect(readdirSync(join(out, 'vision')).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'preprocessor_config.json',
    ]);
    expect(readJson(join(out, 'qformer-config.json'))).toEqual({
      ...{ numQueryTokens: 4, numHiddenLayers: 2, numAttentionHeads: 2 },
      ...{ hiddenSize: 16, intermediateSize: 32 },
    });
    const again = await textbind('extract', '--blip2', join(parts, 'blip2'), '--out', out);
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr()).toMatch(/is there already and not empty/);
  });

  it('extract gives a vision encoder that sees what the whole model sees', async () => {
    const model = join(folder, 'model');
    mkdirSync(model);
    cpSync(join(folder, 'extracted'), model, { recursive: true });
    const manifest = {
      ...{
        name: 'x',
        licence: '',
        visionModel: 'vision',
        processor: 'vision',
        qformer: 'qformer.safetensors',
      },
      ...{ languageModel: join(parts, 'language'), imageDecoder: null, maxSequenceLength: 64 },
      qformerConfig: readJson(join(model, 'qformer-config.json')),
    };
    writeFileSync(join(model, 'textbind.json'), JSON.stringify(manifest));
    const data = Float32Array.from({ length: 768 }, (_, index) => -1 + (2 * index) / 767);
    const [input, output] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')];
    writeTensorFile(input, { pixel_values: { dims: [1, 3, 16, 16], data } });
    const call = ['--model', model, '--network', 'vision', '--input', input, '--output', output];
    const result = await textbind('probe', ...call);
    expect(result.stderr()).toBe('');
    const seen = openTensorFile(output).floats('last_hidden_state').data;
    const wanted = readJson(join(parts, 'blip2-sees.json')) as number[];
    expect(seen).toHaveLength(wanted.length);
    for (const [index, value] of wanted.entries()) expect(seen[index]).toBeCloseTo(value, 4);
  });

  it('extract says what a folder lacks and leaves nothing behind', async () => {
    const out = join(folder, 'nothing');
    const result = await textbind('extract', '--blip2', join(parts, 'language'), '--out', out);
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr()).toMatch(/config\.json.*model_type/);
    expect(readdirSync(folder).filter((name) => name.startsWith('nothing'))).toEqual([]);
  });

  it('validate-data names the faults of conversations and of tars', async () => {
    const file = join(parts, 'data', 'train.json');
    const found = await textbind('validate-data', '--stage', '2', file, '--json');
    expect(found).toMatchObject({ code: 1 });
    const result = JSON.parse(found.stdout()) as { rows: number; faults: { row: number }[] };
    expect(result).toMatchObject({
      rows: 4,
      faults: [
        { file, row: 1, field: 'conversation[1].image_list', kind: 'missing' },
        { file, row: 3, field: 'conversation', kind: 'shape' },
      ],
    });
    const clean = await textbind('validate-data', '--stage', '1', join(parts, 'tars'));
    expect(clean).toMatchObject({ code: 0 });
    expect(clean.stdout()).toBe('6 rows, 0 faults\n');
    const nowhere = await textbind('validate-data', '--stage', '2', '/nowhere');
    expect(nowhere).toMatchObject({ code: 2 });
    expect(nowhere.stderr()).toBe('textbind: /nowhere: does not exist\n');
    expect(await textbind('validate-data', '--stage', '3', file)).toMatchObject({ code: 2 });
  });

  it('train runs stage 1 from the extracted keys, asks before settings change, and goes on', async () => {
    const file = runFile('one', {});
    const ran = await textbind('train', '--config', file, '--json');
    expect(ran.stderr()).toBe('');
    const events = ran
      .stdout()
      .trim()
      .split('\n')
      .map((line) => trainerEventSchema.parse(JSON.parse(line)));
    expect(events.map(({ event }) => event)).toEqual([
      'started',
      'step',
      'step',
      'checkpoint',
      'finished',
    ]);
    expect(existsSync(join(folder, 'one', 'model', 'textbind.json'))).toBe(true);
    const longer = runFile('one', { steps: 3 });
    const asked = await textbind('train', '--config', longer);
    expect(asked).toMatchObject({ code: 2 });
    expect(asked.stderr()).toMatch(/steps was 2, is now 3\. --accept-changes/);
    const went = await textbind('train', '--config', longer, '--accept-changes');
    expect(went).toMatchObject({ code: 0 });
    expect(went.stdout()).toMatch(
      /goes on at step 2: 3 steps.*\nstep 3 of 3.*\nsaved .*\nfinished: /,
    );
    const judged = await textbind('evaluate', '--config', longer, '--json');
    const nothing = { validationLoss: null, captions: null, mme: null, mmbench: null };
    expect(JSON.parse(judged.stdout())).toMatchObject({ step: 3, stage: 1, ...nothing });
    expect(existsSync(join(folder, 'one', 'evaluations', 'step-00000003', 'report.json'))).toBe(
      true,
    );
  });

  it('a run goes elsewhere and comes back; data is converted', async () => {
    const out = join(folder, 'packed');
    const config = runFile('far', {});
    const packed = await textbind('train', '--config', config, '--export-to', out, '--copy');
    expect(packed.stderr()).toBe('');
    expect(packed.stdout()).toMatch(/packed: \d+ files of .* MB are in it\n/);
    expect(existsSync(join(out, 'run.slurm'))).toBe(true);
    const again = await textbind('train', '--config', config, '--export-to', out);
    expect(again).toMatchObject({ code: 2 });
    const back = await textbind('train', '--read-back', out, '--json');
    expect(JSON.parse(back.stdout())).toMatchObject({
      state: 'never-started',
      model: null,
      step: 0,
    });
    const made = join(folder, 'converted');
    const call = ['--stage', '2', join(parts, 'data', 'train.json'), '--out', made];
    expect(await textbind('convert-data', ...call)).toMatchObject({ code: 1 });
    const done = await textbind('convert-data', ...call, '--skip-bad-rows');
    expect(done.stdout()).toMatch(/converted: 2 rows of textbind, 2 left out\n$/);
    const pictures = ['--images', join(folder, 'pictures')];
    const none = await textbind('download-images', join(made, 'train.json'), ...pictures);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr()).toMatch(/0 addresses in url_list/);
  });

  it('train runs stage 2 and says in one line what is wrong with a run file', async () => {
    const data = { conversations: join(parts, 'data', 'good.json') };
    const ran = await textbind('train', '--config', runFile('two', { stage: 2, data }));
    expect(ran.stderr()).toBe('');
    const refused = await textbind(
      'train',
      '--config',
      runFile('bad', { stage: 2, data, steps: 0 }),
    );
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr()).toMatch(/^textbind: steps: got 0; .*\n$/);
    const bad = { conversations: join(parts, 'data', 'train.json') };
    const faulty = await textbind('train', '--config', runFile('bad', { stage: 2, data: bad }));
    expect(faulty.stderr()).toMatch(/2 of 4 rows are unusable: .*gone\.png does not exist/);
    expect(await textbind('train', '--config', '/nowhere.json')).toMatchObject({ code: 2 });
  });

  it('a Ctrl-C saves the run', async () => {
    const file = runFile('long', { steps: 100_000, checkpointEvery: 100_000 });
    const child = spawn(
      process.execPath,
      [join(root, 'scripts', 'textbind.mjs'), 'train', '--config', file, '--json'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const code = await new Promise<number | null>((resolve) => {
      let text = '';
      child.stdout.on('data', (piece: Buffer) => {
        text += piece.toString();
        if (!child.killed && text.includes('"event": "step"')) child.kill('SIGINT');
      });
      child.on('close', resolve);
    });
    expect(code).toBe(0);
    const saved = readdirSync(join(folder, 'long', 'checkpoints'));
    expect(saved).toHaveLength(1);
    expect(saved[0]).toMatch(/^step-0000/);
  });
});
