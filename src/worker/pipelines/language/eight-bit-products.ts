import { blocksProbeModel, eightBitProbeModel, probeSizes } from '../../networks/index.ts';
import { float32Tensor, hostOutput, Session } from '../../runtime/index.ts';

/** Runs of each product, of which the fastest counts: what else the machine does only slows them. */
const runs = 8;
/** What 8-bit products must be worth before weights are held a second time for them. */
const leastGain = 1.3;
/** Scales are rounded; a sum that was cut is wrong by half. */
const tolerance = 1e-3;

let answer: Promise<boolean> | undefined;

/**
 * Whether this processor multiplies 8-bit numbers exactly and faster than blocks of 4 bits: tried once, in some
 * milliseconds. Processors with VNNI or AMX do; without them sums are cut at 16 bits.
 */
export function hasEightBitProducts(): Promise<boolean> {
  answer ??= tryProducts();
  return answer;
}

async function tryProducts(): Promise<boolean> {
  const eightBits = await measure(eightBitProbeModel());
  const { inputs } = probeSizes;
  if (!eightBits.values.every((value) => Math.abs(value / inputs - 1) < tolerance)) return false;
  const blocks = await measure(blocksProbeModel());
  return blocks.ms > leastGain * eightBits.ms;
}

/** What a probe gives for ones, and its fastest run. */
async function measure(
  model: Uint8Array,
): Promise<{ readonly values: Float32Array; readonly ms: number }> {
  const session = await Session.open(model, { provider: 'cpu', threads: 1 });
  try {
    const { rows, inputs } = probeSizes;
    const feeds = { x: float32Tensor(new Float32Array(rows * inputs).fill(1), [rows, inputs]) };
    let values = new Float32Array();
    let ms = Infinity;
    for (let run = 0; run < runs; run += 1) {
      const from = performance.now();
      const outputs = await session.run(feeds);
      ms = Math.min(ms, performance.now() - from);
      values = new Float32Array(hostOutput(outputs, 'y', 'float32').data);
    }
    return { values, ms };
  } finally {
    await session.release();
  }
}
