import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import {
  describeEngine,
  EngineStore,
  inTrouble,
  whyNotSend,
} from '../../../src/renderer/state/engine.svelte.ts';
import { engineStatusSchema, type EngineStatus } from '../../../src/shared/domain/engine-status.ts';
import { stubBridge } from '../helpers/stub-bridge.ts';

const states = engineStatusSchema.shape.state.options;
const model: EngineStatus['model'] = {
  name: 'TextBind mini',
  folder: 'models/textbind-mini',
  canDraw: true,
  maxSequenceLength: 2048,
  providers: { provider: 'cpu', fallbacks: [] },
  seconds: 1,
};
const status = (
  state: EngineStatus['state'],
  change: Partial<EngineStatus> = {},
): EngineStatus => ({
  state,
  reason: null,
  restartInMs: null,
  crashes: 0,
  model,
  ...change,
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('EngineStore', () => {
  it('counts down to the planned start and stops counting once it runs', async () => {
    const bridge = stubBridge({});
    const store = new EngineStore(createApi(bridge));
    bridge.emit('engine.status', status('crashed', { restartInMs: 3000, crashes: 1 }));
    expect(store.restartInSeconds).toBe(3);
    await vi.advanceTimersByTimeAsync(2100);
    expect(store.restartInSeconds).toBe(1);
    bridge.emit('engine.status', status('ready'));
    expect(store.restartInSeconds).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says what is wrong when it cannot be restarted', async () => {
    const store = new EngineStore(createApi(stubBridge({})));
    await store.restart();
    expect(store.error).toBe('No answer to engine.restart.');
  });
});

describe('words for the engine', () => {
  it.each(states)('has words for %s', (state) => {
    expect(describeEngine(status(state), null).words).not.toBe('');
  });

  it('gives a reason exactly where sending is not possible', () => {
    const free = states.filter((state) => whyNotSend(status(state)) === null);
    expect(free).toEqual(['ready', 'busy']);
  });

  it('does not call an engine ready that has no model open', () => {
    const bare = status('ready', { model: null, reason: 'textbind.json was not found.' });
    expect(describeEngine(bare, null)).toEqual({ words: 'No model', tone: 'bad' });
    expect(whyNotSend(bare)).toContain('No model is open');
    expect(inTrouble(bare)).toBe(true);
  });

  it('offers a mend only where one is needed', () => {
    expect(states.filter((state) => inTrouble(status(state)))).toEqual([
      'unresponsive',
      'crashed',
      'halted',
      'stopped',
    ]);
  });
});
