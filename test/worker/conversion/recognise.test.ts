// What a person may drop: every kind of part, made by the libraries that make them, and what is none.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { importCost } from '../../../src/worker/conversion/import-cost.ts';
import { writeGguf } from '../../../bench/full-size/gguf-file.ts';
import { importModel, type ImportSources } from '../../../src/worker/conversion/import-model.ts';
import { ModelFaults } from '../../../src/worker/conversion/model-faults.ts';
import { importOneModel } from '../../../src/worker/model-requests.ts';
import { recogniseAll } from '../../../src/worker/conversion/recognise.ts';
import {
  openCheckpoint,
  readTensorBytes,
  writeSafetensors,
} from '../../../src/worker/weights/index.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();
let parts = '';

describe.skipIf(noPython !== undefined)('what is brought', () => {
  beforeAll(() => {
    parts = runPython('tiny_model.py', ['2']);
  }, 120_000);

  const kindsOf = (...places: string[]) => recogniseAll(places).map(({ kind }) => kind);

  it('is recognised by what is in it', () => {
    const each = ['vision', 'language', 'qformer.safetensors', 'stage2.pt', 'image-decoder'];
    const found = recogniseAll(each.map((name) => path.join(parts, name)));
    expect(found.map(({ kind, fault }) => [kind, fault])).toEqual([
      ['vision', null],
      ['language', null],
      ['qformer', null],
      ['checkpoint', null],
      ['image-decoder', null],
    ]);
    expect(found[2]).toMatchObject({ hasProjection: true });
    expect(found[2]?.qformerConfig).toEqual({
      numQueryTokens: 4,
      numHiddenLayers: 2,
      numAttentionHeads: 2,
      hiddenSize: 32,
      intermediateSize: 48,
    });
    expect(found[1]?.bytes).toBeGreaterThan(100_000);
    const [mini] = recogniseAll([path.resolve('models/textbind-mini')]);
    expect(mini).toMatchObject({ kind: 'model', fault: null });
    const { vision, qformer, base } = mini?.whole?.sources ?? {};
    expect([vision, qformer, base].map((place) => existsSync(place ?? ''))).toEqual(
      Array(3).fill(true),
    );
    expect(mini?.whole?.name).toBe('TextBind mini');
    expect(mini?.whole?.licence).toContain('Apache-2.0');
  });

  it('is found in a folder of folders, as the Hugging Face cache has them', () => {
    const cache = path.join(folder, 'cache');
    for (const name of ['language', 'vision']) {
      const snapshot = path.join(cache, `models--test--${name}`, 'snapshots', 'abc');
      mkdirSync(path.dirname(snapshot), { recursive: true });
      symlinkSync(path.join(parts, name), snapshot);
    }
    mkdirSync(path.join(cache, 'models--test--vision', 'blobs'));
    expect(kindsOf(cache)).toEqual(['language', 'vision']);
  });

  it('is told why it cannot be used', () => {
    const gguf = path.join(folder, 'model.gguf');
    writeFileSync(gguf, Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(64)]));
    const bare = path.join(folder, 'bare');
    cpSync(path.join(parts, 'language'), bare, { recursive: true });
    rmSync(path.join(bare, 'tokenizer.json'));
    const bert = path.join(folder, 'bert');
    mkdirSync(bert);
    writeFileSync(path.join(bert, 'config.json'), JSON.stringify({ model_type: 'bert' }));
    const nothing = path.join(folder, 'nothing');
    mkdirSync(nothing);
    const cut = path.join(folder, 'cut.safetensors');
    writeFileSync(cut, Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 1]));
    const found = recogniseAll([gguf, bare, bert, nothing, cut, path.join(folder, 'gone')]);
    expect(found.map(({ kind }) => kind)).toEqual([
      'gguf',
      'language',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
    ]);
    expect(found.map(({ fault }) => fault)).toEqual([
      expect.stringContaining('GGUF'),
      expect.stringContaining('tokenizer'),
      expect.stringContaining('"bert"'),
      expect.stringContaining('Nothing'),
      expect.stringContaining('cut.safetensors'),
      expect.stringContaining('not there'),
    ]);
  });

  const sources = (): ImportSources => ({
    vision: path.join(parts, 'vision'),
    language: path.join(parts, 'language'),
    qformer: path.join(parts, 'qformer.safetensors'),
    checkpoint: null,
    processor: null,
    base: path.join(parts, 'image-decoder'),
    refiner: null,
  });
  const manifest = {
    name: 'Tiny',
    licence: 'none',
    qformerConfig: {
      ...{ numQueryTokens: 4, numHiddenLayers: 2, numAttentionHeads: 2, hiddenSize: 32 },
      intermediateSize: 48,
    },
    maxPicturesPerReply: 4,
    maxSequenceLength: 128,
  };
  const importing = (storage: 'refer' | 'copy' | 'int4', given = sources()) => {
    const out = path.join(folder, `out-${storage}-${Math.random()}`);
    return importModel({ sources: given, storage, out, replace: false, manifest, guidance: 5 });
  };

  it('costs on the disk what was said before', async () => {
    const copied = await importing('copy');
    const cost = importCost(sources(), 'copy');
    expect(cost.exact).toBe(true);
    // Up to what textbind.json and the processor take.
    expect(Math.abs(cost.bytes - copied.bytes)).toBeLessThan(2000);
    const quantised = await importing('int4');
    const guess = importCost(sources(), 'int4');
    expect(guess.exact).toBe(false);
    expect(Math.abs(guess.bytes / quantised.bytes - 1)).toBeLessThan(0.2);
  });

  it('a GGUF file is a language model, and costs what was said before', async () => {
    const gguf = path.join(runPython('gguf_files.py'), 'talking.gguf');
    expect(recogniseAll([gguf])).toMatchObject([
      { kind: 'gguf', fault: null, says: expect.stringContaining('2 layers, 64 wide') as string },
    ]);
    const given = { ...sources(), language: gguf };
    for (const storage of ['refer', 'copy'] as const) {
      const cost = importCost(given, storage);
      const made = await importing(storage, given);
      expect(cost.exact).toBe(true);
      // Up to what textbind.json and the processor take.
      expect(Math.abs(cost.bytes - made.bytes), storage).toBeLessThan(2000);
    }
    const quantised = await importing('int4', given);
    expect(Math.abs(importCost(given, 'int4').bytes / quantised.bytes - 1)).toBeLessThan(0.2);
  });

  it('a GGUF file of blocks like ours keeps them, and costs what was said before', async () => {
    const gguf = path.join(folder, 'blocks.gguf');
    const shape = { layers: 2, hidden: 64, inner: 96, heads: 4, vocabulary: 400, context: 128 };
    writeGguf(gguf, shape);
    const given = { ...sources(), language: gguf, base: null };
    for (const storage of ['refer', 'copy'] as const) {
      const cost = importCost(given, storage);
      const made = await importing(storage, given);
      const config = path.join(made.folder, 'language', 'config.json');
      expect(readFileSync(config, 'utf8')).toMatch(/"bits": 4/);
      expect(cost.exact).toBe(false);
      expect(Math.abs(cost.bytes / made.bytes - 1), storage).toBeLessThan(0.2);
    }
  });

  it('a stage 2 checkpoint costs its language model once', async () => {
    const stage2 = { ...sources(), checkpoint: path.join(parts, 'stage2.pt'), qformer: null };
    const quantised = await importing('int4', stage2);
    expect(Math.abs(importCost(stage2, 'int4').bytes / quantised.bytes - 1)).toBeLessThan(0.2);
  });

  it('a whole BLIP-2 costs what is taken out of it', async () => {
    const blip2 = wholeBlip2(parts, path.join(folder, 'blip2'));
    const checkpoint = path.join(parts, 'qformer.safetensors');
    const given = { ...sources(), vision: blip2, qformer: blip2, checkpoint };
    expect(recogniseAll([blip2])).toMatchObject([{ kind: 'blip2', fault: null }]);
    const cost = importCost(given, 'copy');
    const { name, licence, ...sizes } = manifest;
    const storage = 'copy' as const;
    const request = { sources: given, storage, name, licence, sizes, guidance: 5 };
    const out = path.join(folder, 'of-blip2');
    const made = await importOneModel(
      { out, request },
      () => undefined,
      new AbortController().signal,
    );
    expect(made.ok).toBe(true);
    const bytes = made.ok ? made.bytes : 0;
    expect(Math.abs(cost.bytes - bytes)).toBeLessThan(2000);
    expect(readdirSync(folder).filter((each) => each.includes('blip2-'))).toEqual([]);
  });

  it('that does not fit is told with every tensor of every part, and leaves nothing', async () => {
    const spoil = (name: string, file: string, drop: readonly string[]): string => {
      const to = path.join(folder, `spoilt-${name}`);
      cpSync(path.join(parts, name), to, { recursive: true });
      const weights = openCheckpoint(path.join(to, file));
      const tensors = [...weights.names()]
        .filter((tensor) => !drop.includes(tensor))
        .map((tensor) => {
          const { dtype, shape } = weights.find(tensor)!;
          const bytes = readTensorBytes(weights, tensor);
          const isNorm = tensor === 'model.norm.weight';
          return isNorm
            ? { name: tensor, dtype, shape: [32], bytes: bytes.slice(0, bytes.length / 2) }
            : { name: tensor, dtype, shape, bytes };
        });
      writeSafetensors(path.join(to, file), tensors);
      return to;
    };
    const language = spoil('language', 'model.safetensors', [
      'model.layers.0.mlp.up_proj.weight',
      'model.layers.1.mlp.down_proj.weight',
    ]);
    const vision = spoil('vision', 'model.safetensors', ['post_layernorm.weight']);
    const error = await importing('copy', { ...sources(), language, vision }).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ModelFaults);
    const { faults } = error as ModelFaults;
    expect(faults.map(({ tensor, problem }) => [tensor, problem]).sort()).toEqual([
      ['model.layers.0.mlp.up_proj.weight', 'missing'],
      ['model.layers.1.mlp.down_proj.weight', 'missing'],
      ['model.norm.weight', 'wrong'],
      ['post_layernorm.weight', 'missing'],
    ]);
    expect(faults.find(({ problem }) => problem === 'wrong')?.says).toMatch(/\[32\].*\[64\]/);
  });
});

/** A BLIP-2 in Hugging Face's layout of the tiny parts, with a language model that is not used. */
function wholeBlip2(parts: string, to: string): string {
  const config = JSON.parse(
    readFileSync(path.join(parts, 'vision', 'config.json'), 'utf8'),
  ) as object;
  mkdirSync(to);
  const qformerConfig = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2 };
  writeFileSync(
    path.join(to, 'config.json'),
    JSON.stringify({
      ...{ model_type: 'blip-2', vision_config: config, num_query_tokens: 4 },
      qformer_config: { ...qformerConfig, intermediate_size: 48 },
    }),
  );
  const taken = (file: string, prefix: string) => {
    const weights = openCheckpoint(file);
    return [...weights.names()].map((name) => {
      const { dtype, shape } = weights.find(name)!;
      return { name: prefix + name, dtype, shape, bytes: readTensorBytes(weights, name) };
    });
  };
  const keys = taken(path.join(parts, 'qformer.safetensors'), '');
  writeSafetensors(path.join(to, 'model.safetensors'), [
    ...taken(path.join(parts, 'vision'), 'vision_model.'),
    ...keys.filter(({ name }) => !name.startsWith('qformer_projection')),
    ...taken(path.join(parts, 'language'), 'language_model.'),
  ]);
  return to;
}
