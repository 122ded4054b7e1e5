/** Graphs that tell whether a processor's 8-bit products are exact, and how fast they are beside the blocks' product. */
import type { Value } from '../../graph/index.ts';
import { finishGraph, input, matMulNBits, serialise } from '../../graph/index.ts';
import { byteLength, type DataType, type StoredTensor } from '../../tensor/stored-tensor.ts';
import { eightBitNames, eightBitProduct, eightBitWeights } from '../eight-bit.ts';
import { blockQuantised } from './weights.ts';

/** x float32 [rows, inputs] -> y float32 [rows, outputs]. */
export const probeSizes = { rows: 64, inputs: 512, outputs: 512 } as const;

const blockSize = 32;
const weight = 'probe';

/** A tensor whose bytes are all the same pattern. */
function filled(dtype: DataType, shape: readonly number[], pattern: ArrayBufferView): StoredTensor {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const one = Buffer.from(pattern.buffer, pattern.byteOffset, pattern.byteLength);
  const bytes = new Uint8Array(Buffer.alloc(byteLength(dtype, count), one));
  return { dtype, shape, location: { kind: 'bytes', bytes } };
}

function probeModel(
  product: (x: Value) => Value,
  tensors: Readonly<Record<string, StoredTensor>>,
): Uint8Array {
  const x = input('x', 'float32', [probeSizes.rows, probeSizes.inputs]);
  const graph = finishGraph('probe', [x], { y: product(x) });
  return serialise(graph, { find: (name) => tensors[name], names: () => Object.keys(tensors) });
}

/**
 * The 8-bit product where every weight is its largest, 127, standing for 1: rows of ones give the number of inputs,
 * unless sums of two products are cut at 16 bits, as processors without instructions for this do.
 */
export function eightBitProbeModel(): Uint8Array {
  const { inputs, outputs } = probeSizes;
  return probeModel((x) => eightBitProduct(x, eightBitWeights(weight, outputs, inputs)), {
    [weight + eightBitNames.weights]: filled('int8', [inputs, outputs], Int8Array.of(127)),
    [weight + eightBitNames.scales]: filled('float32', [outputs], Float32Array.of(1 / 127)),
  });
}

/** The same with weights in blocks of 4 bits. */
export function blocksProbeModel(): Uint8Array {
  const { inputs, outputs } = probeSizes;
  const blocks = inputs / blockSize;
  const stored = blockQuantised(weight, outputs, inputs, 4, blockSize, 'float32');
  return probeModel((x) => matMulNBits(x, stored, 4), {
    [`${weight}.q4`]: filled('uint8', [outputs, blocks, blockSize / 2], Uint8Array.of(0xff)),
    [`${weight}.scales`]: filled('float32', [outputs, blocks], Float32Array.of(1 / 15)),
    [`${weight}.zeros`]: filled('uint8', [outputs, blocks / 2], Uint8Array.of(0)),
  });
}
