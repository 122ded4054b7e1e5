// A Llama of any size as a GGUF file with seeded random weights, as llama.cpp quantises one to Q4_0: matrices Q4_0, the
// head Q6_K, norms in single precision; a SentencePiece vocabulary of made-up pieces.
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { halfFromNumber } from '../../src/worker/tensor/stored-tensor.ts';
import { RandomNumbers } from '../../src/worker/sampling/random.ts';

export interface LlamaShape {
  readonly layers: number;
  readonly hidden: number;
  readonly inner: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly context: number;
}

/** Llama-2-7B, as published. */
export const llama7b: LlamaShape = {
  ...{ layers: 32, hidden: 4096, inner: 11008, heads: 32, vocabulary: 32000, context: 4096 },
};

/** ggml's numbers of types (ggml.h), and how many weights take how many bytes. */
const kinds = {
  f32: { id: 0, count: 1, bytes: 4 },
  q4: { id: 2, count: 32, bytes: 18 },
  q6k: { id: 14, count: 256, bytes: 210 },
} as const;
type Kind = keyof typeof kinds;

interface Tensor {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly kind: Kind;
}

function tensorsOf({ layers, hidden, inner, vocabulary }: LlamaShape): Tensor[] {
  const matrix = (name: string, rows: number, columns: number, kind: Kind = 'q4'): Tensor => ({
    ...{ name: `${name}.weight`, rows, columns, kind },
  });
  const norm = (name: string): Tensor => matrix(name, 1, hidden, 'f32');
  const layer = (index: number): Tensor[] => {
    const own = (part: string): string => `blk.${index}.${part}`;
    return [
      norm(own('attn_norm')),
      ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map((part) =>
        matrix(own(part), hidden, hidden),
      ),
      norm(own('ffn_norm')),
      matrix(own('ffn_gate'), inner, hidden),
      matrix(own('ffn_up'), inner, hidden),
      matrix(own('ffn_down'), hidden, inner),
    ];
  };
  return [
    matrix('token_embd', vocabulary, hidden),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    norm('output_norm'),
    matrix('output', vocabulary, hidden, hidden % kinds.q6k.count === 0 ? 'q6k' : 'q4'),
  ];
}

function bytesOf({ rows, columns, kind }: Tensor): number {
  const { count, bytes } = kinds[kind];
  return ((rows * columns) / count) * bytes;
}

/** Parts of a header, little-endian. */
class Header {
  readonly #parts: Buffer[] = [];

  number(value: number, kind: 'u32' | 'i32' | 'u64' | 'f32'): this {
    const part = Buffer.alloc(kind === 'u64' ? 8 : 4);
    if (kind === 'u32') part.writeUInt32LE(value);
    else if (kind === 'i32') part.writeInt32LE(value);
    else if (kind === 'f32') part.writeFloatLE(value);
    else part.writeBigUInt64LE(BigInt(value));
    this.#parts.push(part);
    return this;
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    this.number(bytes.length, 'u64');
    this.#parts.push(bytes);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** GGUF's numbers of the types of values. */
const valueTypes = { u32: 4, i32: 5, f32: 6, text: 8, list: 9 } as const;

class Metadata {
  readonly #header: Header;
  count = 0;

  constructor(header: Header) {
    this.#header = header;
  }

  #begin(key: string, type: keyof typeof valueTypes): Header {
    this.count += 1;
    return this.#header.text(key).number(valueTypes[type], 'u32');
  }

  text(key: string, value: string): this {
    this.#begin(key, 'text').text(value);
    return this;
  }

  number(key: string, value: number, kind: 'u32' | 'f32' = 'u32'): this {
    this.#begin(key, kind).number(value, kind);
    return this;
  }

  texts(key: string, values: readonly string[]): this {
    this.#begin(key, 'list').number(valueTypes.text, 'u32').number(values.length, 'u64');
    for (const value of values) this.#header.text(value);
    return this;
  }

  numbers(key: string, values: readonly number[], kind: 'i32' | 'f32'): this {
    this.#begin(key, 'list').number(valueTypes[kind], 'u32').number(values.length, 'u64');
    for (const value of values) this.#header.number(value, kind);
    return this;
  }
}

/** Control tokens, a token for each byte, then pieces that are all different. */
function piecesOf(vocabulary: number): { readonly text: string; readonly type: number }[] {
  const [unknown, control, byte, normal] = [2, 3, 6, 1];
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
  const pieces = [
    { text: '<unk>', type: unknown },
    { text: '<s>', type: control },
    { text: '</s>', type: control },
    ...Array.from({ length: 256 }, (_, value) => ({ text: `<0x${hex(value)}>`, type: byte })),
    ...[...Array(95).keys()]
      .slice(1)
      .map((at) => ({ text: String.fromCharCode(32 + at), type: normal })),
    { text: '▁', type: normal },
  ];
  while (pieces.length < vocabulary) pieces.push({ text: `▁w${pieces.length}`, type: normal });
  return pieces;
}

function metadataOf(shape: LlamaShape): { readonly header: Header; readonly count: number } {
  const header = new Header();
  const pieces = piecesOf(shape.vocabulary);
  const { count } = new Metadata(header)
    .text('general.architecture', 'llama')
    .text('general.name', 'random')
    .number('general.file_type', 2)
    .number('general.quantization_version', 2)
    .number('llama.context_length', shape.context)
    .number('llama.embedding_length', shape.hidden)
    .number('llama.block_count', shape.layers)
    .number('llama.feed_forward_length', shape.inner)
    .number('llama.rope.dimension_count', shape.hidden / shape.heads)
    .number('llama.attention.head_count', shape.heads)
    .number('llama.attention.head_count_kv', shape.heads)
    .number('llama.attention.layer_norm_rms_epsilon', 1e-5, 'f32')
    .text('tokenizer.ggml.model', 'llama')
    .texts(
      'tokenizer.ggml.tokens',
      pieces.map(({ text }) => text),
    )
    .numbers(
      'tokenizer.ggml.scores',
      pieces.map((_, id) => -id),
      'f32',
    )
    .numbers(
      'tokenizer.ggml.token_type',
      pieces.map(({ type }) => type),
      'i32',
    )
    .number('tokenizer.ggml.bos_token_id', 1)
    .number('tokenizer.ggml.eos_token_id', 2)
    .number('tokenizer.ggml.unknown_token_id', 0);
  return { header, count };
}

function headerOf(shape: LlamaShape, tensors: readonly Tensor[]): Buffer {
  const metadata = metadataOf(shape);
  const start = new Header().number(0x46554747, 'u32').number(3, 'u32');
  start.number(tensors.length, 'u64').number(metadata.count, 'u64');
  const listed = new Header();
  let offset = 0;
  for (const tensor of tensors) {
    const { name, rows, columns, kind } = tensor;
    const sizes = kind === 'f32' ? [columns] : [columns, rows];
    listed.text(name).number(sizes.length, 'u32');
    for (const size of sizes) listed.number(size, 'u64');
    listed.number(kinds[kind].id, 'u32').number(offset, 'u64');
    offset += aligned(bytesOf(tensor));
  }
  const header = Buffer.concat([start.bytes(), metadata.header.bytes(), listed.bytes()]);
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length)]);
}

/** Blocks that tensors of one kind take their own from, each from another place: making 7 thousand million takes long. */
function blocksOf(kind: Kind, columns: number, random: RandomNumbers): Buffer {
  const { bytes } = kinds[kind];
  if (kind === 'f32') return Buffer.from(new Float32Array(columns).fill(1).buffer);
  const blocks = 100_003;
  const table = Buffer.alloc(blocks * bytes);
  for (let at = 0; at + 4 <= table.length; at += 4) table.writeUInt32LE(random.bits(), at);
  // Signals neither grow nor fade: codes are spread evenly, over 16 steps or 64.
  const spread = 0.7 / Math.sqrt(columns);
  const sixBitScale = 8;
  for (let block = 0; block < blocks; block += 1) {
    const at = block * bytes;
    if (kind === 'q4') table.writeUInt16LE(halfFromNumber(spread / 4.61), at);
    else {
      table.fill(sixBitScale, at + 192, at + 208);
      table.writeUInt16LE(halfFromNumber(spread / 18.5 / sixBitScale), at + 208);
    }
  }
  return table;
}

function writeAll(descriptor: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(descriptor, bytes, done);
}

/** Tensors begin at multiples of so many bytes. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 32) * 32;
}

/** A tensor's blocks out of a table, from a random one on, and over again. */
function writeTensor(
  descriptor: number,
  tensor: Tensor,
  table: Buffer,
  random: RandomNumbers,
): void {
  const { bytes } = kinds[tensor.kind];
  let from = Math.floor((random.uniform() * table.length) / bytes) * bytes;
  for (let left = bytesOf(tensor); left > 0; from = 0) {
    const part = table.subarray(from, from + left);
    writeAll(descriptor, part);
    left -= part.length;
  }
  writeAll(descriptor, Buffer.alloc(aligned(bytesOf(tensor)) - bytesOf(tensor)));
}

/** @returns bytes written */
export function writeGguf(file: string, shape: LlamaShape): number {
  const random = new RandomNumbers(7);
  const tensors = tensorsOf(shape);
  const tables = new Map<string, Buffer>();
  const descriptor = openSync(file, 'w');
  try {
    writeAll(descriptor, headerOf(shape, tensors));
    for (const tensor of tensors) {
      const key = `${tensor.kind} ${tensor.columns}`;
      const table = tables.get(key) ?? blocksOf(tensor.kind, tensor.columns, random);
      tables.set(key, table);
      writeTensor(descriptor, tensor, table, random);
    }
    return fstatSync(descriptor).size;
  } finally {
    closeSync(descriptor);
  }
}
