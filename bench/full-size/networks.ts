// The networks of true size: written, opened and run in turns with PyTorch's, each in a process of its own.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { venvPython } from '../../scripts/setup/python.mjs';
import { ShardWriter } from '../../src/worker/conversion/shards.ts';
import { normalNoise, RandomNumbers } from '../../src/worker/sampling/random.ts';
import { reasonOf } from '../../src/shared/errors.ts';
import { eightBitNames } from '../../src/worker/networks/index.ts';
import { toHalf } from '../../src/worker/weights/index.ts';
import type { ProcessMemory } from '../machine.ts';
import { LineProcess } from '../peers/line-process.ts';
import { PeerProcess } from '../peers/peer-process.ts';
import { interleave, median } from '../statistics.ts';
import { fasterByTime, formatTable, type Row } from '../tables.ts';
import type { NetworkRequest, NetworkRun } from './network-peer.ts';
import { partOf, type Part } from './parts.ts';

export interface NetworkOptions {
  readonly out: string;
  readonly side: number;
  readonly threads: number;
  readonly rounds: number;
  /** How PyTorch computes: each is a peer of its own. Empty: none. */
  readonly peers: readonly string[];
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

/** Random numbers that every tensor takes its own from: making a thousand million would take the longest of all. */
const table = normalNoise(new RandomNumbers(7), 1 << 18);

/** Signed 8-bit numbers that look random, each tensor's the same. */
const bytesTable = Buffer.from(Int8Array.from(table, (value) => value * 32).buffer);

/** A matrix folded to 8 bits, [inputs, outputs], or its scales, of the same size as those below. */
function foldedWeights(name: string, shape: readonly number[], inputs: number): Uint8Array {
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (name.endsWith(eightBitNames.weights)) return new Uint8Array(Buffer.alloc(count, bytesTable));
  return new Uint8Array(new Float32Array(count).fill(0.7 / Math.sqrt(inputs) / 32).buffer);
}

/** Seeded weights of a size at which signals neither grow nor fade; norms do nothing, biases are zero. */
function weightsOf(name: string, shape: readonly number[]): Uint8Array {
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (shape.length === 1) {
    const value = name.endsWith('bias') ? 0 : 1;
    return new Uint8Array(toHalf(new Float32Array(count).fill(value)).buffer);
  }
  const spread = 0.7 / Math.sqrt(count / (shape[0] ?? 1));
  const scaled = Buffer.from(toHalf(table.map((value) => value * spread)).buffer);
  return new Uint8Array(Buffer.alloc(2 * count, scaled));
}

/** @returns bytes written */
function write(part: Part, folder: string): number {
  mkdirSync(folder, { recursive: true });
  const writer = new ShardWriter(folder, { stem: 'model', maxBytes: 500e6 });
  const written = new Set<string>();
  let inputs = 1;
  for (const { value, source } of part.graph().parameters) {
    const { name } = source;
    if (written.has(name)) continue;
    written.add(name);
    const shape = value.shape.map(Number);
    const isFolded = name.endsWith(eightBitNames.weights) || name.endsWith(eightBitNames.scales);
    // A matrix comes before its scales.
    if (name.endsWith(eightBitNames.weights)) [inputs = 1] = shape;
    const dtype = isFolded ? (value.dtype === 'int8' ? 'int8' : 'float32') : 'float16';
    const bytes = isFolded ? foldedWeights(name, shape, inputs) : weightsOf(name, shape);
    writer.add({ name, dtype, shape, bytes });
  }
  writer.finish();
  return readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
}

/** A network that is open in another process. */
interface Opened {
  readonly name: string;
  readonly openSeconds: number;
  run(): Promise<NetworkRun>;
  /** MB. */
  most(): Promise<number>;
  close(): Promise<void> | void;
}

async function openOurs(part: string, folder: string, options: NetworkOptions): Promise<Opened> {
  const { side, threads } = options;
  const peer = new PeerProcess(part, path.join(import.meta.dirname, 'network-peer.ts'));
  const ask = (request: NetworkRequest): Promise<unknown> => peer.ask(request);
  try {
    const opened = (await ask({ kind: 'open', part, folder, side, threads })) as NetworkRun;
    return {
      name: 'TextBind',
      openSeconds: opened.seconds,
      run: async () => (await ask({ kind: 'run' })) as NetworkRun,
      most: async () => ((await ask({ kind: 'memory' })) as ProcessMemory).most,
      close: () => peer.close(),
    };
  } catch (error) {
    await peer.close();
    throw error;
  }
}

async function openTorch(part: string, mode: string, options: NetworkOptions): Promise<Opened> {
  const program = path.join(import.meta.dirname, '..', 'peers', 'network_peer.py');
  // The peer has no 8 bits: it computes as it does best.
  const args = [
    program,
    part.replace(/-8$/, ''),
    String(options.side),
    String(options.threads),
    mode,
  ];
  const peer = new LineProcess(`PyTorch ${mode}`, venvPython, args);
  try {
    const ready = (await peer.next()) as { readonly ready: string; readonly seconds: number };
    return {
      name: ready.ready,
      openSeconds: ready.seconds,
      run: async () => (await peer.ask({ kind: 'run' })) as NetworkRun,
      most: async () => ((await peer.ask({ kind: 'memory' })) as ProcessMemory).most,
      close: () => peer.close(),
    };
  } catch (error) {
    peer.close();
    throw error;
  }
}

async function openAll(part: string, folder: string, options: NetworkOptions): Promise<Opened[]> {
  const opened = [await openOurs(part, folder, options)];
  if (options.peers.length > 0 && !existsSync(venvPython)) {
    options.say('SKIPPED: PyTorch: .venv is not there (npm test -- --only trainer sets it up)');
    return opened;
  }
  for (const mode of options.peers) {
    try {
      opened.push(await openTorch(part, mode, options));
    } catch (error) {
      options.say(`SKIPPED: PyTorch ${mode}: ${reasonOf(error)}`);
    }
  }
  return opened;
}

function seconds(runs: readonly NetworkRun[] | undefined): number[] {
  return (runs ?? []).map((run) => run.seconds);
}

/** Measures one part, says what was found, and tells whether its numbers were finite. */
async function measurePart(
  part: string,
  folder: string,
  options: NetworkOptions,
): Promise<boolean> {
  const opened = await openAll(part, folder, options);
  try {
    // The first run of each touches its memory for the first time.
    for (const each of opened) await each.run();
    const runs = await interleave(
      options.rounds,
      opened.map((each) => () => each.run()),
    );
    const [ours = []] = runs;
    for (const each of opened) {
      const memory = Math.round(await each.most());
      options.say(
        `${each.name}: open after ${each.openSeconds.toFixed(1)} s, most memory ${memory} MB`,
      );
    }
    const rows = opened.map(({ name }, index): Row => {
      const [own, compared] = [seconds(runs[index]), seconds(ours)];
      return { label: name, unit: 's', cells: [own], comparison: fasterByTime(compared, own) };
    });
    const title = `${part}, one run`;
    process.stdout.write(
      `${formatTable({ title, columns: ['median'], comparison: 'times of its time that ours takes less', rows })}\n` +
        `CPU time of ours ${median(ours.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1)} s, load ${loadavg()[0]?.toFixed(1)}\n`,
    );
    return ours.every(({ isFinite }) => isFinite);
  } finally {
    for (const each of opened) await each.close();
  }
}

/** Writes a part, measures it, and deletes it. */
export async function measureNetwork(name: string, options: NetworkOptions): Promise<void> {
  const folder = path.join(options.out, name);
  rmSync(folder, { recursive: true, force: true });
  try {
    const bytes = write(partOf(name), folder);
    options.say(`${name}: ${Math.round(bytes / 1e6)} MB on disk`);
    if (await measurePart(name, folder, options)) return;
    process.stdout.write(`${name}: NOT FINITE\n`);
    process.exitCode = 1;
  } finally {
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
}
