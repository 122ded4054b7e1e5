/** A vision encoder or a UNet with its matrices folded to 8 bits; convolutions, norms and biases in half precision. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { readJson } from '../../base/json-file.ts';
import {
  buildUnet,
  buildVit,
  cpuTarget,
  eightBitNames,
  parseUnetConfig,
  parseVitConfig,
  adaptVitWeights,
} from '../networks/index.ts';
import {
  findTensor,
  foldFloats,
  openCheckpoint,
  readFloats,
  type Checkpoint,
  type TensorToWrite,
} from '../weights/index.ts';
import { copySmallFiles, halfTensor, refuseNotFinite } from './half-precision.ts';
import { pause } from './pause.ts';
import { ShardWriter } from './shards.ts';

/** Networks whose matrices can be folded, by what their parts are called. */
const networks = {
  vision: {
    build: (config: unknown, file: string) => buildVit(parseVitConfig(config, file), folded),
    adapt: adaptVitWeights,
    stem: 'model',
  },
  unet: {
    build: (config: unknown, file: string) => buildUnet(parseUnetConfig(config, file), folded),
    adapt: (weights: Checkpoint) => weights,
    stem: 'diffusion_pytorch_model',
  },
} as const;
const folded = { ...cpuTarget, folded: 'eightBits' } as const;

/**
 * Copies a network's folder so. Holds one matrix and one file.
 *
 * @throws WeightError naming a tensor that is missing, or that holds what no precision does; the signal's reason
 */
export async function storeFolded(
  kind: keyof typeof networks,
  from: string,
  to: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { build, adapt, stem } = networks[kind];
  const file = path.join(from, 'config.json');
  const weights = adapt(openCheckpoint(from));
  const names = new Set(
    build(readJson(file, 'model-invalid'), file).parameters.map(({ source }) => source.name),
  );
  mkdirSync(to, { recursive: true });
  copySmallFiles(from, to);
  const writer = new ShardWriter(to, { stem, alone: true });
  for (const name of names) {
    await pause(signal);
    if (name.endsWith(eightBitNames.scales)) continue;
    const isMatrix = name.endsWith(eightBitNames.weights);
    const tensors = isMatrix
      ? foldedTensors(weights, name.slice(0, -eightBitNames.weights.length))
      : [halfTensor(weights, name)];
    for (const tensor of tensors) writer.add(tensor);
  }
  writer.finish();
}

function foldedTensors(checkpoint: Checkpoint, name: string): TensorToWrite[] {
  const floats = readFloats(checkpoint, name);
  refuseNotFinite(checkpoint, name, floats);
  const [n = 0] = findTensor(checkpoint, name).shape;
  const k = floats.length / n;
  const { weights, scales } = foldFloats(floats, n, k);
  return [
    {
      ...{ name: name + eightBitNames.weights, dtype: 'int8', shape: [k, n] },
      bytes: new Uint8Array(weights.buffer),
    },
    {
      ...{ name: name + eightBitNames.scales, dtype: 'float32', shape: [n] },
      bytes: new Uint8Array(scales.buffer),
    },
  ];
}
