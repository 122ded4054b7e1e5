/** Runs our graphs against what transformers and diffusers computed with the same random checkpoint. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import type { Graph } from '../../../src/worker/graph/graph.ts';
import type { StoredTensor, WeightSource } from '../../../src/worker/graph/serialise.ts';
import { serialise } from '../../../src/worker/graph/serialise.ts';
import { runPython } from '../../golden/run-python.ts';

/** A case's tensors, all as float32 or int64. */
export type Tensors = Readonly<Record<string, ort.Tensor>>;

/** One random checkpoint and its cases. */
export interface Golden {
  /** The model's folder. */
  readonly model: string;
  readonly config: unknown;
  readonly weights: WeightSource;
  readonly cases: readonly Tensors[];
}

/** Has `test/golden/SCRIPT` make a checkpoint and its references for every spec. */
export function makeGoldens<T extends string>(
  script: string,
  specs: Readonly<Record<T, object>>,
): Readonly<Record<T, Golden>> {
  const shared = readFileSync(join(import.meta.dirname, '..', '..', 'golden', 'golden.py'));
  const version = createHash('sha256').update(shared).digest('hex').slice(0, 8);
  const folder = runPython(script, [JSON.stringify({ version, specs })]);
  const entries = Object.keys(specs).map((name) => [name, readGolden(join(folder, name))]);
  return Object.fromEntries(entries) as Record<T, Golden>;
}

function readGolden(folder: string): Golden {
  const model = join(folder, 'model');
  const config: unknown = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
  const files = readdirSync(folder)
    .filter((file) => file.startsWith('case-'))
    .sort();
  const weights = readdirSync(model).find((file) => file.endsWith('.safetensors'))!;
  return {
    model,
    config,
    weights: openWeights(model, weights),
    cases: files.map((file) => readTensors(join(folder, file))),
  };
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const storedTypes = { F32: 'float32', F16: 'float16', I64: 'int64' } as const;

function readHeader(file: string): {
  readonly bytes: Buffer;
  readonly start: number;
  readonly entries: [string, Entry][];
} {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Entry>;
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return { bytes, start: 8 + length, entries };
}

/** A safetensors file as a source of weights that stay where they are. */
export function openWeights(folder: string, file: string): WeightSource {
  const { start, entries } = readHeader(join(folder, file));
  const tensors = new Map(
    entries.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]): [string, StoredTensor] => [
        name,
        {
          dtype: storedTypes[dtype as keyof typeof storedTypes],
          shape,
          location: { kind: 'file', file, offset: start + from, length: to - from },
        },
      ],
    ),
  );
  return { find: (name) => tensors.get(name), names: () => tensors.keys() };
}

/** Reads the tensors of a safetensors file. */
export function readTensors(file: string): Tensors {
  const { bytes, start, entries } = readHeader(file);
  const tensors = entries.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const raw = new Uint8Array(bytes.subarray(start + from, start + to)).buffer;
      const tensor =
        dtype === 'I64'
          ? new ort.Tensor('int64', new BigInt64Array(raw), shape)
          : new ort.Tensor('float32', new Float32Array(raw), shape);
      return [name, tensor] as const;
    },
  );
  return Object.fromEntries(tensors);
}

/** Makes a session of a graph whose weights lie in `folder`. */
export function openGraph(
  graph: Graph,
  weights: WeightSource,
  folder: string,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(serialise(graph, weights), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    ...options,
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });
}

/** Runs a session on the inputs that it has among the case's tensors. */
export async function runSession(
  session: ort.InferenceSession,
  tensors: Tensors,
): Promise<Tensors> {
  return session.run(Object.fromEntries(session.inputNames.map((name) => [name, tensors[name]!])));
}

/** Largest difference over the reference's root mean square; infinite where shapes differ or a number is not one. */
export function relativeError(
  actual: ort.Tensor | undefined,
  expected: ort.Tensor | undefined,
): number {
  if (!actual || !expected) return Infinity;
  if (actual.dims.join() !== expected.dims.join()) return Infinity;
  const [a, b] = [actual.data as Float32Array, expected.data as Float32Array];
  let worst = 0;
  let squares = 0;
  for (let index = 0; index < b.length; index++) {
    const difference = Math.abs(a[index]! - b[index]!);
    if (!(difference <= worst)) worst = difference;
    squares += b[index]! ** 2;
  }
  const error = Number.isNaN(worst) ? Infinity : worst / Math.sqrt(squares / b.length);
  if (process.env['SHOW_ERRORS'])
    process.stderr.write(`relative error ${error.toExponential(2)}\n`);
  return error;
}
