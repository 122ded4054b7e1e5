// `npm run bench -- full-size`: networks of the published system at their true sizes, with random weights in half precision.
//   --parts clip-l,qformer   which (default: all)     --side 512   pixels of a picture     --threads 2
//   --out DIR   where the weights are written (default .cache/bench/full-size)     --keep   do not delete them afterwards
// Each part is written, then opened and run in a process of its own: seconds, and that process's most memory.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ShardWriter } from '../../src/worker/conversion/shards.ts';
import { Session, type SessionTensor } from '../../src/worker/runtime/index.ts';
import { normalNoise, RandomNumbers } from '../../src/worker/sampling/random.ts';
import { openCheckpoint, toHalf } from '../../src/worker/weights/index.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { parts, type Part } from './parts.ts';

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: Object.keys(parts).join(',') },
    side: { type: 'string', default: '512' },
    threads: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string', default: '.cache/bench/full-size' },
    keep: { type: 'boolean', default: false },
    /** Opens and runs one part here; what the other options of a run start. */
    run: { type: 'string' },
  },
});

function partOf(name: string): Part {
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (part === undefined)
    throw new Error(`--parts ${name}: expected ${Object.keys(parts).join(', ')}`);
  return part;
}

/** Random numbers that every tensor takes its own from: making a thousand million would take the longest of all. */
const table = normalNoise(new RandomNumbers(7), 1 << 18);

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
  for (const { value, source } of part.graph().parameters) {
    if (written.has(source.name)) continue;
    written.add(source.name);
    const shape = value.shape.map(Number);
    writer.add({
      name: source.name,
      dtype: 'float16',
      shape,
      bytes: weightsOf(source.name, shape),
    });
  }
  writer.finish();
  return readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
}

/** The most memory that this process ever held, MB; Linux only. */
function mostMemory(): number | null {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1000;
  } catch {
    return null;
  }
}

interface Measured {
  readonly openSeconds: number;
  readonly runSeconds: number;
  readonly cpuSeconds: number;
  readonly megabytes: number | null;
  readonly isFinite: boolean;
}

async function measure(part: Part, folder: string): Promise<Measured> {
  const weights = openCheckpoint(folder);
  const begin = performance.now();
  const network = part.model(weights);
  const session = await Session.open(network.model, {
    provider: 'cpu',
    weightsFolder: network.weightsFolder,
    threads: Number(values.threads),
  });
  const opened = performance.now();
  const before = process.cpuUsage();
  const outputs = await session.run(part.inputs(Number(values.side)));
  const cpu = process.cpuUsage(before);
  const isFinite = Object.values(outputs).every(allFinite);
  return {
    openSeconds: (opened - begin) / 1000,
    runSeconds: (performance.now() - opened) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    megabytes: mostMemory(),
    isFinite,
  };
}

function allFinite(tensor: SessionTensor): boolean {
  return !('data' in tensor) || tensor.dtype !== 'float32' || tensor.data.every(Number.isFinite);
}

function measureApart(name: string): Measured {
  const args = ['--run', name, '--side', values.side, '--threads', values.threads];
  const child = spawnSync(
    process.execPath,
    [...process.execArgv, import.meta.filename, ...args, '--out', values.out],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (child.status !== 0) throw new Error(`${name} ended with ${child.status ?? child.signal}`);
  return JSON.parse(child.stdout) as Measured;
}

function report(name: string): void {
  const folder = path.join(values.out, name);
  rmSync(folder, { recursive: true, force: true });
  try {
    const bytes = write(partOf(name), folder);
    const { openSeconds, runSeconds, cpuSeconds, megabytes, isFinite } = measureApart(name);
    const memory = megabytes === null ? 'not known' : `${Math.round(megabytes)} MB`;
    process.stdout.write(
      `${name}: ${Math.round(bytes / 1e6)} MB on disk, opens in ${openSeconds.toFixed(1)} s, runs in ${runSeconds.toFixed(1)} s ` +
        `(${cpuSeconds.toFixed(1)} s of CPU time), most memory ${memory}, ${isFinite ? 'finite' : 'NOT FINITE'}, load ${loadavg()[0]?.toFixed(1)}\n`,
    );
    if (!isFinite) process.exitCode = 1;
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  }
}

if (values.run === undefined) {
  process.stdout.write(`${formatMachine(describeMachine())}\n`);
  for (const name of values.parts.split(',')) report(name);
} else {
  const measured = await measure(partOf(values.run), path.join(values.out, values.run));
  process.stdout.write(JSON.stringify(measured));
}
