/**
 * Every field that the reference's configurations have is built, refused by name, or known to change nothing. The
 * fields come from the installed libraries, so a later version's new feature cannot slip through.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  parseClipTextConfig,
  parseLlamaConfig,
  parseQformerConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
} from '../../../src/worker/networks/index.ts';
import { harmlessTransformersFields } from '../../../src/worker/networks/config-reader.ts';
import { isStudioError } from '../../../src/shared/errors.ts';
import { noPython, runPython } from '../../golden/run-python.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Network {
  readonly parse: (json: unknown) => unknown;
  /** What the defaults lack, or where they are of a network that we do not build. */
  readonly start: Fields;
  /** Fields that change nothing, beside those of every transformers configuration. */
  readonly harmless: readonly string[];
}

const levels = ['DownBlock2D', 'CrossAttnDownBlock2D'];
const networks: Readonly<Record<string, Network>> = {
  llama: { parse: parseLlamaConfig, start: {}, harmless: ['pretraining_tp'] },
  'clip-text': {
    parse: parseClipTextConfig,
    start: { architectures: ['CLIPTextModelWithProjection'] },
    harmless: [],
  },
  vit: { parse: parseVitConfig, start: {}, harmless: [] },
  qformer: {
    parse: parseQformerConfig,
    start: { projection_size: 4096 },
    harmless: ['vocab_size', 'max_position_embeddings'],
  },
  unet: {
    parse: parseUnetConfig,
    start: {
      ...{ down_block_types: levels, up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'] },
      ...{ block_out_channels: [32, 64], attention_head_dim: [2, 4], norm_num_groups: 8 },
      ...{ addition_embed_type: 'text_time', addition_time_embed_dim: 32 },
      ...{ projection_class_embeddings_input_dim: 320, mid_block_only_cross_attention: false },
      ...{ cross_attention_dim: 64, transformer_layers_per_block: [1, 2] },
    },
    harmless: ['sample_size', 'dropout', 'upcast_attention', 'addition_embed_type_num_heads'],
  },
  vae: { parse: parseVaeConfig, start: { norm_num_groups: 4 }, harmless: ['sample_size'] },
};

/** Other values of the field's kind, and of kinds that it might have. */
function otherValues(value: unknown): readonly unknown[] {
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number') return [value + 1, value * 2, value / 2];
  if (typeof value === 'string') return [`${value}_other`, 'quick_gelu', 'gelu'];
  if (Array.isArray(value)) return [value.map((item: unknown) => otherValues(item)[1])];
  return [7, 'other', true, [5], { other: 5 }];
}

const differs = (value: unknown, usual: unknown): boolean =>
  JSON.stringify(value) !== JSON.stringify(usual);

/** What a parser makes of a value: another configuration, a refusal that names field or value, or no difference. */
function verdict({ parse }: Network, usual: Fields, field: string, value: unknown): string {
  const before = JSON.stringify(parse(usual));
  try {
    return JSON.stringify(parse({ ...usual, [field]: value })) === before ? 'ignored' : 'built';
  } catch (error) {
    const refusal = isStudioError(error, 'unsupported') || isStudioError(error, 'model-invalid');
    const named =
      error instanceof Error &&
      [field, `${String(value)} `].some((word) => error.message.includes(word));
    return refusal && named ? 'refused' : `threw ${String(error)}`;
  }
}

describe.skipIf(noPython)(`fields of configurations${noPython ? `: ${noPython}` : ''}`, () => {
  let all: Readonly<Record<string, Fields>>;
  beforeAll(() => {
    const text = readFileSync(join(runPython('config_fields.py'), 'fields.json'), 'utf8');
    all = JSON.parse(text) as Readonly<Record<string, Fields>>;
  }, 300_000);

  it.each(Object.entries(networks))('%s: each is built, refused or harmless', (name, network) => {
    const defaults = all[name]!;
    const usual: Fields = { ...defaults, ...network.start };
    const ignored = Object.keys(defaults).filter((field) =>
      otherValues(usual[field]).some((value) => {
        if (!differs(value, usual[field])) return false;
        const found = verdict(network, usual, field, value);
        expect(found, `${field} = ${JSON.stringify(value)}`).toMatch(/^(built|refused|ignored)$/);
        return found === 'ignored';
      }),
    );
    const harmless = new Set([...network.harmless, ...harmlessTransformersFields]);
    expect(ignored.filter((field) => !harmless.has(field) && !field.startsWith('_'))).toEqual([]);
    // A field that is read after all must leave the list.
    expect(network.harmless.filter((field) => !ignored.includes(field))).toEqual([]);
  });

  const llama = (fields: Fields): unknown => parseLlamaConfig({ ...all['llama'], ...fields });
  const features: readonly (readonly [string, Fields, string])[] = [
    ['a partial rotary factor', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
    [
      'a partial rotary factor of transformers 5',
      { rope_parameters: { rope_theta: 1e4, rope_type: 'default', partial_rotary_factor: 0.5 } },
      'partial_rotary_factor',
    ],
    ['a sliding window', { sliding_window: 4096 }, 'sliding_window'],
    ['layers of several kinds', { layer_types: ['sliding_attention'] }, 'layer_types'],
    ['interleaved rotation', { rope_interleaved: true }, 'rope_interleaved'],
    ['another activation', { hidden_act: 'gelu' }, 'hidden_act'],
    ['another family', { model_type: 'mistral' }, 'model_type'],
    ['experts', { num_local_experts: 8 }, 'num_local_experts'],
    ['another quantisation', { quantization_config: { quant_method: 'gptq' } }, 'quant_method'],
    ...['dynamic', 'yarn', 'longrope'].map((kind): readonly [string, Fields, string] => [
      `positions stretched by ${kind}`,
      { rope_parameters: { rope_theta: 1e4, rope_type: kind, factor: 2 } },
      'rope_type',
    ]),
    [
      'an older name of the stretch',
      { rope_parameters: null, rope_scaling: { type: 'dynamic', factor: 2 } },
      'type',
    ],
    [
      'a factor for attention',
      { rope_parameters: { rope_type: 'linear', factor: 2, attention_factor: 0.5 } },
      'attention_factor',
    ],
  ];
  it.each(features)('llama refuses %s by name', (_, fields, name) => {
    let error: unknown;
    try {
      llama(fields);
    } catch (thrown) {
      error = thrown;
    }
    expect(isStudioError(error, 'unsupported')).toBe(true);
    expect((error as Error).message).toContain(`"${name}"`);
  });

  it('llama reads theta and scaling from either place', () => {
    const old = {
      rope_parameters: null,
      rope_theta: 5e5,
      rope_scaling: { type: 'linear', factor: 4 },
    };
    const now = { rope_parameters: { rope_theta: 5e5, rope_type: 'linear', factor: 4 } };
    expect(llama(old)).toEqual(llama(now));
    expect(llama(now)).toMatchObject({
      ropeTheta: 5e5,
      ropeScaling: { kind: 'linear', factor: 4 },
    });
  });
});
