/** Providers and sessions on tiny models. */
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  add,
  finishGraph,
  input,
  matMul,
  parameter,
  reduceSum,
  serialise,
} from '../../../src/worker/graph/index.ts';
import { probeModel } from '../../../src/worker/runtime/providers.ts';
import {
  RuntimeError,
  Session,
  chooseProvider,
  float32Tensor,
  hostOutput,
  probeProviders,
} from '../../../src/worker/runtime/index.ts';
import { openCheckpoint, toHalf, writeSafetensors } from '../../../src/worker/weights/index.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();

describe('providers', () => {
  it('probes with the model that the graph library writes', () => {
    const x = input('x', 'float32', [1]);
    expect(probeModel).toEqual(serialise(finishGraph('g', [x], { y: add(x, x) })));
  });

  it('reports every provider, with a reason for each that does not work', async () => {
    const reports = await probeProviders();
    expect(reports.map(({ provider }) => provider)).toEqual(['cuda', 'webgpu', 'cpu']);
    expect(reports.at(-1)?.usable).toBe(true);
    for (const { usable, reason } of reports) expect(reason === '').toBe(usable);
  });

  it('falls back to the CPU and says what it passed over', async () => {
    const reports = await probeProviders();
    const choice = await chooseProvider(['cuda']);
    const cuda = reports.find(({ provider }) => provider === 'cuda');
    expect(choice).toEqual(
      cuda?.usable ? { provider: 'cuda', rejected: [] } : { provider: 'cpu', rejected: [cuda] },
    );
    expect(await chooseProvider(['cpu'])).toEqual({ provider: 'cpu', rejected: [] });
  });

  it('does not take a software driver for a GPU unless told to', async () => {
    vi.stubEnv('TEXTBIND_SOFTWARE_VULKAN', '1');
    const choice = await chooseProvider();
    vi.unstubAllEnvs();
    const reason = 'its driver here is software';
    if (choice.provider === 'cpu') {
      expect(choice.rejected).toContainEqual({ provider: 'webgpu', usable: false, reason });
    }
    expect(choice.provider).not.toBe('webgpu');
  });
});

describe('Session', () => {
  const x = input('x', 'float32', ['rows', 2]);

  it('reads weights where they lie: half precision at an odd offset, in two folders', async () => {
    const [a, b] = [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')];
    const bytes = (array: Uint16Array): Uint8Array => new Uint8Array(array.buffer);
    writeSafetensors(a, [
      { name: 'odd', dtype: 'uint8', shape: [3], bytes: new Uint8Array(3) },
      {
        name: 'w',
        dtype: 'float16',
        shape: [2, 2],
        bytes: bytes(toHalf(Float32Array.of(1, 2, 3, 4))),
      },
    ]);
    // 10 and 20 in bfloat16.
    const brain = Uint16Array.of(0x4120, 0x41a0);
    writeSafetensors(b, [{ name: 'v', dtype: 'bfloat16', shape: [2], bytes: bytes(brain) }]);
    const weights = openCheckpoint(a, b);
    const y = add(matMul(x, parameter('w', [2, 2])), parameter('v', [2]));
    const model = serialise(finishGraph('g', [x], { y }), weights);
    const session = await Session.open(model, { provider: 'cpu', weightsFolder: weights.folder });
    const outputs = await session.run({ x: float32Tensor(Float32Array.of(1, 1), [1, 2]) });
    expect([...hostOutput(outputs, 'y', 'float32').data]).toEqual([14, 26]);
    await session.release();
    await session.release();
    await expect(session.run({})).rejects.toThrow('the session was released');
  });

  it('gives only the outputs asked for', async () => {
    const model = serialise(
      finishGraph('g', [x], { a: add(x, x), b: matMul(x, parameter('w', [2, 2])) }),
      {
        find: () => ({
          dtype: 'float32',
          shape: [2, 2],
          location: { kind: 'bytes', bytes: new Uint8Array(16) },
        }),
        names: () => ['w'],
      },
    );
    const session = await Session.open(model, { provider: 'cpu' });
    expect(session.outputNames).toEqual(['a', 'b']);
    const outputs = await session.run({ x: float32Tensor(Float32Array.of(1, 2), [1, 2]) }, ['a']);
    expect(Object.keys(outputs)).toEqual(['a']);
    expect(() => hostOutput(outputs, 'a', 'int64')).toThrow(RuntimeError);
    await session.release();
  });

  it('takes and gives half precision as bits', async () => {
    const half = input('half', 'float16', [2]);
    const model = serialise(finishGraph('g', [half], { y: add(half, half) }));
    const session = await Session.open(model, { provider: 'cpu' });
    const data = Uint16Array.of(0x3c00, 0xc000); // 1, -2
    const outputs = await session.run({ half: { dtype: 'float16', dims: [2], data } });
    expect([...hostOutput(outputs, 'y', 'float16').data]).toEqual([0x4000, 0xc400]);
    await session.release();
  });

  it('turns the errors of the runtime into its own', async () => {
    await expect(Session.open(Uint8Array.of(1, 2, 3), { provider: 'cpu' })).rejects.toThrow(
      'the model could not be opened on cpu',
    );
    const model = serialise(finishGraph('g', [x], { y: add(x, x) }));
    const session = await Session.open(model, { provider: 'cpu' });
    await expect(session.run({ x: float32Tensor(new Float32Array(3), [1, 3]) })).rejects.toThrow(
      'the model failed',
    );
    await session.release();
  });
});

describe('what a run works with', () => {
  /** Bytes that the process holds after a run whose work takes 100 MB and whose result takes none. */
  async function heldAfterRun(givesBack: boolean): Promise<number> {
    const side = 5000;
    const column = input('column', 'float32', [side, 1]);
    const row = input('row', 'float32', [1, side]);
    const graph = finishGraph('g', [column, row], { sum: reduceSum(matMul(column, row), [0, 1]) });
    const session = await Session.open(serialise(graph), { provider: 'cpu', givesBack });
    const ones = new Float32Array(side).fill(1);
    const before = process.memoryUsage.rss();
    const outputs = await session.run({
      column: float32Tensor(ones, [side, 1]),
      row: float32Tensor(ones, [1, side]),
    });
    const held = process.memoryUsage.rss() - before;
    expect(hostOutput(outputs, 'sum', 'float32').data[0]).toBeCloseTo(side * side, -3);
    await session.release();
    return held;
  }

  it('is kept for the next one, and given back where that is asked for', async () => {
    expect(await heldAfterRun(false)).toBeGreaterThan(80e6);
    expect(await heldAfterRun(true)).toBeLessThan(50e6);
  });
});
