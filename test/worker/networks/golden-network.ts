/** Runs our graphs against what transformers and diffusers computed with the same random checkpoint. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../../src/worker/graph/index.ts';
import { serialise } from '../../../src/worker/graph/index.ts';
import type { HostTensor, SessionOptions } from '../../../src/worker/runtime/index.ts';
import { DeviceTensor, Session } from '../../../src/worker/runtime/index.ts';
import type { Checkpoint } from '../../../src/worker/weights/index.ts';
import {
  openCheckpoint,
  readFloats,
  readSafetensorsHeader,
  readTensorBytes,
} from '../../../src/worker/weights/index.ts';
import { runPython } from '../../golden/run-python.ts';

/** A case's tensors, all float32 or int64. */
export type Tensors = Readonly<Record<string, HostTensor>>;

/** One random checkpoint and its cases. */
export interface Golden {
  readonly config: unknown;
  readonly weights: Checkpoint;
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
  const qformer = readdirSync(model).includes('qformer.safetensors');
  return {
    config,
    weights: openCheckpoint(qformer ? join(model, 'qformer.safetensors') : model),
    cases: files.map((file) => readTensors(join(folder, file))),
  };
}

/** Reads the tensors of a safetensors file. */
export function readTensors(file: string): Tensors {
  const checkpoint = openCheckpoint(file);
  const tensors = [...readSafetensorsHeader(file).tensors].map(([name, { dtype, shape }]) => {
    if (dtype !== 'int64') {
      return [name, { dtype: 'float32', dims: shape, data: readFloats(checkpoint, name) }] as const;
    }
    const bytes = new Uint8Array(readTensorBytes(checkpoint, name)).buffer;
    return [name, { dtype: 'int64', dims: shape, data: new BigInt64Array(bytes) }] as const;
  });
  return Object.fromEntries<Tensors[string]>(tensors);
}

/** Opens a session of a graph on one thread. */
export function openGraph(
  graph: Graph,
  weights: Checkpoint,
  provider: SessionOptions['provider'] = 'cpu',
): Promise<Session> {
  return Session.open(serialise(graph, weights), {
    provider,
    threads: 1,
    weightsFolder: weights.folder,
  });
}

/** Runs a session on the inputs that it has among the case's tensors. */
export async function runSession(session: Session, tensors: Tensors): Promise<Tensors> {
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, tensors[name]!]));
  const results = await session.run(feeds);
  for (const value of Object.values(results)) {
    if (value instanceof DeviceTensor) throw new Error('a result stayed on the device');
  }
  return results as Tensors;
}

/** The largest relative error of a graph's outputs over these cases. */
export async function worstError(
  graph: Graph,
  weights: Checkpoint,
  cases: readonly Tensors[],
  outputs: readonly string[],
  provider: SessionOptions['provider'] = 'cpu',
): Promise<number> {
  const session = await openGraph(graph, weights, provider);
  const errors: number[] = [];
  for (const tensors of cases) {
    const result = await runSession(session, tensors);
    for (const output of outputs) errors.push(relativeError(result[output], tensors[output]));
  }
  await session.release();
  return errors.length === 0 ? Infinity : Math.max(...errors);
}

/**
 * Largest difference over the reference's root mean square; infinite where shapes or types differ or a number is
 * not one. SHOW_ERRORS=1 prints it.
 */
export function relativeError(
  actual: HostTensor | undefined,
  expected: HostTensor | undefined,
): number {
  if (actual?.dtype !== 'float32' || expected?.dtype !== 'float32') return Infinity;
  if (actual.dims.join() !== expected.dims.join()) return Infinity;
  let worst = 0;
  let squares = 0;
  expected.data.forEach((value, index) => {
    const difference = Math.abs(actual.data[index]! - value);
    if (!(difference <= worst)) worst = difference;
    squares += value ** 2;
  });
  const ratio = worst / Math.sqrt(squares / expected.data.length);
  const error = Number.isNaN(ratio) ? Infinity : ratio;
  if (process.env['SHOW_ERRORS'])
    process.stderr.write(`relative error ${error.toExponential(2)}\n`);
  return error;
}
