/** What happens when a checkpoint is not the network's: every network, a tensor missing and one of another shape. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/worker/graph/index.ts';
import { compareWeights, serialise } from '../../../src/worker/graph/index.ts';
import type { StoredTensor, WeightSource } from '../../../src/worker/tensor/stored-tensor.ts';
import {
  buildClipText,
  buildQformer,
  buildUnet,
  buildVaeDecoder,
  buildVaeEncoder,
  buildVit,
  cpuTarget,
  parseClipTextConfig,
  parseQformerConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
} from '../../../src/worker/networks/index.ts';

const vae = parseVaeConfig({
  block_out_channels: [8, 16],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 4,
});
const sizes = {
  hidden_size: 8,
  intermediate_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
};
const graphs: readonly (readonly [string, Graph, string])[] = [
  [
    'vit',
    buildVit(parseVitConfig({ ...sizes, image_size: 8, patch_size: 4 }), cpuTarget),
    'encoder.layers.1.self_attn.qkv.weight',
  ],
  [
    'qformer',
    buildQformer(parseQformerConfig({ ...sizes, projection_size: 4 }), cpuTarget),
    'query_tokens',
  ],
  [
    'clip-text',
    buildClipText(parseClipTextConfig({ ...sizes, vocab_size: 20 }), cpuTarget),
    'text_model.final_layer_norm.bias',
  ],
  [
    'unet',
    buildUnet(
      parseUnetConfig({
        block_out_channels: [8],
        down_block_types: ['CrossAttnDownBlock2D'],
        up_block_types: ['CrossAttnUpBlock2D'],
        attention_head_dim: 2,
        norm_num_groups: 4,
        addition_embed_type: 'text_time',
        addition_time_embed_dim: 4,
        projection_class_embeddings_input_dim: 30,
      }),
      cpuTarget,
    ),
    'mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.weight',
  ],
  [
    'vae-encoder',
    buildVaeEncoder(vae, cpuTarget),
    'encoder.down_blocks.0.downsamplers.0.conv.weight',
  ],
  [
    'vae-decoder',
    buildVaeDecoder(vae, cpuTarget),
    'decoder.up_blocks.1.resnets.0.conv_shortcut.bias',
  ],
];

function zeros(shape: readonly number[]): StoredTensor {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', shape, location: { kind: 'bytes', bytes: new Uint8Array(4 * count) } };
}

/** A checkpoint that fits the graph, with `changes` made to it. */
function checkpointFor(
  graph: Graph,
  changes: Readonly<Record<string, StoredTensor | undefined>> = {},
): WeightSource {
  const tensors = new Map<string, StoredTensor>();
  for (const { source, value } of graph.parameters)
    tensors.set(source.name, zeros(value.shape.map(Number)));
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor) tensors.set(name, tensor);
    else tensors.delete(name);
  }
  return { find: (name) => tensors.get(name), names: () => tensors.keys() };
}

describe.each(graphs)('%s', (_, graph, tensor) => {
  it('is serialised with the checkpoint that fits', () => {
    expect(serialise(graph, checkpointFor(graph)).length).toBeGreaterThan(1000);
  });

  it('names a tensor that is missing', () => {
    expect(() => serialise(graph, checkpointFor(graph, { [tensor]: undefined }))).toThrow(tensor);
  });

  it('names a tensor of another shape, and both shapes', () => {
    const needed = graph.parameters.find(({ source }) => source.name === tensor)!.value.shape;
    const wrong = [7, ...needed.map(Number)];
    const broken = checkpointFor(graph, { [tensor]: zeros(wrong) });
    expect(() => serialise(graph, broken)).toThrow(`"${tensor}"`);
    expect(() => serialise(graph, broken)).toThrow(`[${wrong.join(', ')}]`);
    expect(() => serialise(graph, broken)).toThrow(`[${needed.join(', ')}]`);
  });

  it('lists what it does not use', () => {
    const more = checkpointFor(graph, { 'text_model.embeddings.position_ids': zeros([1]) });
    expect(compareWeights(graph, more)).toEqual({
      missing: [],
      unused: ['text_model.embeddings.position_ids'],
    });
  });
});
