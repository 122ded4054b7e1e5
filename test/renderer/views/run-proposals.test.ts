// Which setting a person is advised to take after a few real steps, and what taking it over changes.
import { describe, expect, it } from 'vitest';
import {
  canTakeOver,
  defaultSettings,
  proposed,
  takenOver,
} from '../../../src/renderer/views/training/defaults.ts';
import type { RunOption } from '../../../src/shared/domain/training.ts';

const option = (name: RunOption['name'], over: Partial<RunOption> = {}): RunOption => ({
  ...{ name, microBatchSize: 1, activationCheckpointing: false, loraRank: null, loraBits: null },
  ...{ processes: 1, memoryBytes: 1, isMeasured: false, fits: true, hours: null, needs: null },
  ...over,
});

describe('what is proposed', () => {
  it('is nothing where what was asked fits, or nobody knows', () => {
    expect(proposed([option('asked'), option('lora')])).toBeNull();
    expect(proposed([option('asked', { fits: null }), option('lora')])).toBeNull();
    expect(proposed([])).toBeNull();
  });

  it('is the first that fits and that this machine can do', () => {
    const tooLarge = option('asked', { fits: false });
    const qlora = option('qlora', { needs: 'cuda' });
    const lora = option('lora');
    expect(proposed([tooLarge, option('micro', { fits: false }), qlora, lora])).toBe(lora);
    expect(proposed([tooLarge, qlora])).toBeNull();
  });

  it('can be taken over only where it is known to fit', () => {
    expect(canTakeOver(option('lora'))).toBe(true);
    expect(canTakeOver(option('asked'))).toBe(false);
    expect(canTakeOver(option('lora', { fits: null }))).toBe(false);
    expect(canTakeOver(option('lora', { fits: false }))).toBe(false);
    expect(canTakeOver(option('qlora', { needs: 'cuda' }))).toBe(false);
  });

  it('is taken over as a whole: shards only where parts are kept off the GPUs', () => {
    const qlora = option('qlora', { loraRank: 16, loraBits: 4, activationCheckpointing: true });
    const mine = { ...defaultSettings, batchSize: 8, microBatchSize: 4 };
    expect(takenOver(mine, qlora)).toEqual({
      ...mine,
      ...{ microBatchSize: 1, loraRank: 16, loraBits: 4, activationCheckpointing: true },
    });
    expect(takenOver(mine, option('offload', { processes: 4 }))).toMatchObject({
      ...{ sharding: 'fsdp', offload: true, processes: 4, loraRank: null },
    });
  });
});
