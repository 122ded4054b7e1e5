// The same weights as our quantised folder in the form that @huggingface/transformers reads: one graph that is run once
// for each token, with the cache as its inputs and outputs, as its published exports of four bits have it
// (MatMulNBits, GroupQueryAttention).
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  copyFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJson, readJsonFile } from '../../src/base/json-file.ts';
import { writeJsonFileSync } from '../../src/base/whole-file.ts';
import {
  finishGraph,
  input,
  serialise,
  shapeOf,
  slice,
  squeeze,
  type Graph,
  type Value,
} from '../../src/worker/graph/index.ts';
import { groupedAttention, type LayerCache } from '../../src/worker/networks/llama/attention.ts';
import { parseLlamaConfig, type LlamaConfig } from '../../src/worker/networks/llama/config.ts';
import { groupedPositions } from '../../src/worker/networks/llama/positions.ts';
import { rotaryTables } from '../../src/worker/networks/llama/rotary.ts';
import { decoderStack } from '../../src/worker/networks/llama/stack.ts';
import { embedding, head } from '../../src/worker/networks/llama/weights.ts';
import { openCheckpoint } from '../../src/worker/weights/index.ts';

const precision = { dtype: 'float32', accuracyLevel: 4, products: 'blocks' } as const;

/**
 *  input_ids [1, length] -- look-up -- layers over the cache -- last position -- head -- logits [1, 1, vocabulary]
 *  attention_mask [1, past + length]: its length alone is used
 *  past_key_values.N.key / value [1, g, past, d] -- GroupQueryAttention -- present.N.key / value
 */
function buildStep(config: LlamaConfig, positions: number): Graph {
  const ids = input('input_ids', 'int64', [1, 'length']);
  const mask = input('attention_mask', 'int64', [1, 'total']);
  const shape = [1, config.keyValueHeadCount, 'past', config.headSize];
  const past = Array.from({ length: config.layerCount }, (_, layer): LayerCache => {
    const name = `past_key_values.${layer}`;
    return {
      key: input(`${name}.key`, 'float32', shape),
      value: input(`${name}.value`, 'float32', shape),
    };
  });
  const total = squeeze(shapeOf(mask, 1, 2), 0);
  const rotary = rotaryTables(config, positions, 'float32');
  const attend = groupedAttention(config, rotary, groupedPositions(total, undefined));
  const embeds = embedding(config, 'float32')(ids);
  const { hidden, present } = decoderStack(config, precision)(embeds, attend, past);
  const outputs: Record<string, Value> = { logits: head(config, precision)(slice(hidden, 1, -1)) };
  present.forEach(({ key, value }, layer) => {
    outputs[`present.${layer}.key`] = key;
    outputs[`present.${layer}.value`] = value;
  });
  return finishGraph(
    'step',
    [ids, mask, ...past.flatMap(({ key, value }) => [key, value])],
    outputs,
  );
}

const fieldsSchema = z.record(z.string(), z.unknown());

/** Writes the folder that `from_pretrained` reads with `dtype: 'q4'`. External data must lie beside the graph. */
export function writeTransformersJsModel(from: string, to: string, positions: number): void {
  const onnx = path.join(to, 'onnx');
  rmSync(to, { recursive: true, force: true });
  mkdirSync(onnx, { recursive: true });
  for (const name of readdirSync(from)) {
    const source = path.join(from, name);
    if (/\.safetensors(\.index\.json)?$/.test(name)) linkSync(source, path.join(onnx, name));
    else if (name !== 'config.json') copyFileSync(source, path.join(to, name));
  }
  const config = path.join(from, 'config.json');
  const { quantization_config: quantised, ...fields } = readJsonFile(
    config,
    fieldsSchema,
    'model-invalid',
  );
  if (quantised === undefined || !existsSync(onnx)) throw new Error(`${from} is not quantised`);
  // Without an end of turn it writes as many tokens as it is told to.
  writeJsonFileSync(path.join(to, 'config.json'), { ...fields, eos_token_id: null });
  const graph = buildStep(parseLlamaConfig(readJson(config, 'model-invalid'), config), positions);
  writeFileSync(path.join(onnx, 'model_q4.onnx'), serialise(graph, openCheckpoint(onnx)));
}
