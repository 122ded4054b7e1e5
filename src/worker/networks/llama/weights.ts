/**
 * Tensors of a Llama checkpoint as layers: plain floating point under Hugging Face's names, or in
 * blocks of few bits as `weights/quantise-model.ts` writes them (query, key and value in one tensor,
 * gate and up in one).
 */
import type { BlockQuantised, DataType, Value } from '../../graph/index.ts';
import {
  add,
  concat,
  dimOf,
  gather,
  gatherBlockQuantized,
  gemm,
  int64s,
  matMulNBits,
  parameter,
  reshape,
  reshapeTo,
  shapeOf,
} from '../../graph/index.ts';
import { eightBitProduct, eightBitWeights } from '../eight-bit.ts';
import { linearBits, type LlamaConfig, type Quantisation } from './config.ts';

/** How the network computes. */
export interface Precision {
  /** Type of activations, of the cache and of floating-point weights in memory. */
  readonly dtype: DataType;
  /** For quantised weights: see `matMulNBits`. */
  readonly accuracyLevel: 0 | 1 | 4;
  /** How layers with quantised weights multiply: with the blocks as they are stored, or folded to 8 bits. */
  readonly products: 'blocks' | 'eightBits';
}

/** A linear layer: x [b, t, k] -> [b, t, n]. */
export type Linear = (x: Value) => Value;

/** The weight `name` [n, k] quantised in blocks; rows are `[n, blocks, bytes]`, or `[n, bytes]` flat. */
export function blockQuantised(
  name: string,
  n: number,
  k: number,
  bits: 4 | 8,
  blockSize: number,
  dtype: DataType,
  layout: 'blocks' | 'rows' = 'blocks',
): BlockQuantised {
  const blocks = Math.ceil(k / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  const shape = layout === 'blocks' ? [n, blocks, blockBytes] : [n, blocks * blockBytes];
  return {
    quantised: parameter(`${name}.q${bits}`, shape, 'uint8', { reshaped: true }),
    scales: parameter(`${name}.scales`, [n, blocks], dtype),
    zeroPoints: parameter(`${name}.zeros`, [n, Math.ceil((blocks * bits) / 8)], 'uint8'),
    bits,
    blockSize,
    k,
    n,
  };
}

/** x [b, t, k] times a float weight [n, k] transposed: Gemm reads it as it is stored. */
function floatLinear(name: string, n: number, k: number, bias: boolean, dtype: DataType): Linear {
  const weight = parameter(`${name}.weight`, [n, k], dtype);
  const offset = bias ? parameter(`${name}.bias`, [n], dtype) : undefined;
  return (x) => {
    const product = gemm(reshape(x, [-1, k]), weight, offset, { transB: true });
    if (dimOf(x, 0) === 1) return reshape(product, [1, dimOf(x, 1), n]);
    const target = concat([shapeOf(x, 0, 2), int64s(n)], 0);
    return reshapeTo(product, target, [dimOf(x, 0), dimOf(x, 1), n]);
  };
}

function quantisedLinear(
  name: string,
  n: number,
  k: number,
  bias: boolean,
  quantisation: Quantisation,
  precision: Precision,
): Linear {
  const { blockSize } = quantisation;
  const bits = linearBits(quantisation, name);
  const weight = blockQuantised(`${name}.weight`, n, k, bits, blockSize, precision.dtype);
  const offset = bias ? parameter(`${name}.bias`, [n], precision.dtype) : undefined;
  return (x) => {
    const product =
      precision.products === 'eightBits'
        ? eightBitProduct(x, eightBitWeights(`${name}.weight`, n, k))
        : matMulNBits(x, weight, precision.accuracyLevel);
    return offset ? add(product, offset) : product;
  };
}

/** A linear layer by its checkpoint name. */
export function linear(
  config: LlamaConfig,
  precision: Precision,
  name: string,
  n: number,
  k: number,
  bias = false,
): Linear {
  if (config.quantisation) return quantisedLinear(name, n, k, bias, config.quantisation, precision);
  return floatLinear(name, n, k, bias, precision.dtype);
}

const embeddingName = 'model.embed_tokens';
const headName = 'lm_head';

/** The embedding table's look-up: int64 ids [...] -> [..., hidden]. */
export function embedding(config: LlamaConfig, dtype: DataType): (ids: Value) => Value {
  const { vocabularySize, hiddenSize, quantisation } = config;
  if (quantisation?.embeddingBits === 8) {
    const name = `${embeddingName}.weight`;
    const weight = blockQuantised(
      name,
      vocabularySize,
      hiddenSize,
      8,
      quantisation.blockSize,
      dtype,
      'rows',
    );
    return (ids) => gatherBlockQuantized(weight, ids);
  }
  const table = parameter(`${embeddingName}.weight`, [vocabularySize, hiddenSize], dtype);
  return (ids) => gather(table, ids, 0);
}

/** The head: [b, t, hidden] -> logits [b, t, vocabulary]. */
export function head(config: LlamaConfig, precision: Precision): Linear {
  const { vocabularySize: n, hiddenSize: k, quantisation } = config;
  const name = config.hasTiedHead ? embeddingName : headName;
  if (quantisation?.embeddingBits === 8) {
    const weight = blockQuantised(
      `${name}.weight`,
      n,
      k,
      8,
      quantisation.blockSize,
      precision.dtype,
    );
    return (x) => matMulNBits(x, weight, precision.accuracyLevel);
  }
  return floatLinear(name, n, k, false, precision.dtype);
}
