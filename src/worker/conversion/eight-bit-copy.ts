/**
 * A quantised language model's matrices a second time, as the signed 8-bit numbers that prompts are read with: for
 * models too large to be folded each time that they are opened. They lie beside the blocks in files of their own.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../base/json-file.ts';
import {
  eightBitShape,
  foldedMatrix,
  parseLlamaConfig,
  storedEightBitNames,
  storedEightBits,
  type LlamaConfig,
} from '../networks/index.ts';
import { openCheckpoint, type SizedTensor, type TensorToWrite } from '../weights/index.ts';
import { pause } from './pause.ts';
import { ShardWriter, wholeTensors } from './shards.ts';

export interface EightBitCopyOptions {
  readonly resume?: boolean;
  readonly maxShardBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (bytes: number) => void;
}

function sized(config: LlamaConfig, name: string): readonly [SizedTensor, SizedTensor] {
  const { weights, scales } = storedEightBitNames(name);
  const [k, n] = eightBitShape(config, name);
  return [
    { name: weights, dtype: 'int8', shape: [k, n], bytes: { length: k * n } },
    { name: scales, dtype: 'float32', shape: [n], bytes: { length: 4 * n } },
  ];
}

/** Names of the matrices of all layers. */
function matrixNames({ layerCount }: LlamaConfig): string[] {
  const parts = ['self_attn.qkv_proj', 'self_attn.o_proj', 'mlp.gate_up_proj', 'mlp.down_proj'];
  return Array.from({ length: layerCount }, (_, layer) =>
    parts.map((part) => `model.layers.${layer}.${part}.weight`),
  ).flat();
}

/**
 * Writes the copy into the model's own folder. Holds one matrix and one file.
 *
 * @returns bytes of all tensors
 * @throws WeightError where the folder's weights are not in blocks; the signal's reason
 */
export async function writeEightBitCopy(
  folder: string,
  { resume = false, maxShardBytes, signal, onBytes }: EightBitCopyOptions = {},
): Promise<number> {
  const file = join(folder, 'config.json');
  const config = parseLlamaConfig(readJson(file, 'model-invalid'), file);
  const checkpoint = openCheckpoint(folder);
  const names = matrixNames(config);
  const options = {
    stem: storedEightBits,
    ...(maxShardBytes === undefined ? {} : { maxBytes: maxShardBytes }),
  };
  if (!resume) removeCopy(folder);
  const planned = names.flatMap((name) => sized(config, name));
  const whole = resume ? wholeTensors(folder, planned, options) : new Set<string>();
  const writer = new ShardWriter(folder, { ...options, whole });
  for (const name of names) {
    await pause(signal);
    const [weights, scales] = sized(config, name);
    const tensors: readonly (SizedTensor | TensorToWrite)[] = [weights, scales].every((tensor) =>
      whole.has(tensor.name),
    )
      ? [weights, scales]
      : folded(checkpoint, config, name);
    for (const tensor of tensors) writer.add(tensor);
    onBytes?.(weights.bytes.length + scales.bytes.length);
  }
  return writer.finish();
}

function folded(
  checkpoint: ReturnType<typeof openCheckpoint>,
  config: LlamaConfig,
  name: string,
): readonly TensorToWrite[] {
  const { weights, scales } = foldedMatrix(checkpoint, config, name);
  const [first, second] = sized(config, name);
  return [
    { ...first, bytes: new Uint8Array(weights.buffer) },
    { ...second, bytes: new Uint8Array(scales.buffer) },
  ];
}

function removeCopy(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${storedEightBits}-`) || name.startsWith(`${storedEightBits}.`)) {
      rmSync(join(folder, name));
    }
  }
}
