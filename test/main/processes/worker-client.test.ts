import { describe, expect, test } from 'vitest';
import { silentLogger, type Logger } from '../../../src/base/log.ts';
import { cancelGraceMs, WorkerClient } from '../../../src/main/processes/worker-client.ts';
import { createPortPair } from '../../../src/base/port.ts';
import type { ToWorker } from '../../../src/shared/contracts/worker-protocol.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function connect() {
  const [ours, theirs] = createPortPair();
  const clock = new FakeClock();
  const errors: string[] = [];
  const log: Logger = { ...silentLogger, error: (message) => errors.push(message) };
  const received: ToWorker[] = [];
  theirs.onMessage((message) => received.push(message as ToWorker));
  let ready = 0;
  const client = new WorkerClient({
    port: ours,
    clock,
    log,
    onReady: () => (ready += 1),
    onSign: () => undefined,
    onActivity: () => undefined,
  });
  const requestId = (): string => {
    const last = received.findLast((message) => message.type === 'request');
    return last?.type === 'request' ? last.id : '';
  };
  return { client, clock, worker: theirs, received, errors, requestId, ready: () => ready };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const drawing = { steps: 1, guidance: 1, negative: '', seed: null, enabled: true };
const progress = {
  kind: 'drawing-step',
  step: 1,
  steps: 3,
  secondsLeft: null,
  preview: null,
  width: 8,
  height: 8,
};

describe('the worker client', () => {
  test('asks with an id, hands events on in order, and resolves with the reply', async () => {
    const { client, worker, received, requestId } = connect();
    const steps: number[] = [];
    const onEvent = ({ step }: { step: number }): unknown => steps.push(step);
    const asked = client.request('draw', { caption: 'x', drawing }, { onEvent });
    await tick();
    expect(received).toEqual([
      { type: 'request', id: requestId(), name: 'draw', body: { caption: 'x', drawing } },
    ]);
    for (const step of [1, 2])
      worker.postMessage({ type: 'event', id: requestId(), body: { ...progress, step } });
    const recipe = { seed: 1, steps: 1, guidance: 1, model: 'm' };
    const drawn = {
      kind: 'picture',
      png: new Uint8Array([1]),
      width: 8,
      height: 8,
      caption: 'x',
      recipe,
      seconds: 1,
    };
    worker.postMessage({ type: 'reply', id: requestId(), body: drawn });
    await expect(asked).resolves.toEqual(drawn);
    expect(steps).toEqual([1, 2]);
    expect(client.inFlight()).toEqual([]);
  });

  test('a worker error keeps its kind', async () => {
    const { client, worker, requestId } = connect();
    const asked = client.request('ping', null);
    await tick();
    worker.postMessage({
      type: 'error',
      id: requestId(),
      error: { kind: 'busy', message: 'No.', detail: null },
    });
    await expect(asked).rejects.toMatchObject({ kind: 'busy', message: 'No.' });
  });

  test.each([
    ['no object', 7],
    ['unknown type', { type: 'hello' }],
    ['no id', { type: 'reply', body: null }],
    [
      'error of no known kind',
      { type: 'error', id: 'x', error: { kind: 'odd', message: '', detail: null } },
    ],
    ['null', null],
  ])('a malformed message is logged and changes nothing: %s', async (_name, message) => {
    const { client, worker, errors, requestId } = connect();
    const asked = client.request('ping', null);
    await tick();
    worker.postMessage(message);
    await tick();
    expect(errors).toEqual(['malformed message from the worker']);
    worker.postMessage({ type: 'reply', id: requestId(), body: null });
    await expect(asked).resolves.toBeNull();
  });

  test('a malformed event is dropped, a malformed reply fails the request', async () => {
    const { client, worker, errors, requestId } = connect();
    const seen: unknown[] = [];
    const onEvent = (event: unknown): unknown => seen.push(event);
    const asked = client.request('draw', { caption: 'x', drawing }, { onEvent });
    await tick();
    worker.postMessage({ type: 'event', id: requestId(), body: { ...progress, step: -1 } });
    worker.postMessage({ type: 'reply', id: requestId(), body: { kind: 'picture', png: 'text' } });
    await expect(asked).rejects.toMatchObject({ kind: 'internal' });
    expect(seen).toEqual([]);
    expect(errors).toEqual(['malformed event from the worker', 'malformed reply from the worker']);
  });

  test('messages for requests that nobody made are passed over', async () => {
    const { client, worker } = connect();
    worker.postMessage({ type: 'reply', id: 'nobody', body: null });
    worker.postMessage({ type: 'event', id: 'nobody', body: null });
    await tick();
    expect(client.inFlight()).toEqual([]);
  });

  test('cancelling tells the worker and waits for its word', async () => {
    const { client, worker, received, requestId } = connect();
    const controller = new AbortController();
    const asked = client.request('draw', { caption: 'x', drawing }, { signal: controller.signal });
    await tick();
    controller.abort();
    await tick();
    expect(received.at(-1)).toEqual({ type: 'cancel', id: requestId() });
    worker.postMessage({
      type: 'error',
      id: requestId(),
      error: { kind: 'cancelled', message: 'x', detail: null },
    });
    await expect(asked).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('a worker deep in a long run is not waited for, but still counts as busy', async () => {
    const { client, clock, worker, requestId } = connect();
    const controller = new AbortController();
    const asked = client.request('draw', { caption: 'x', drawing }, { signal: controller.signal });
    await tick();
    controller.abort();
    clock.advance(cancelGraceMs);
    await expect(asked).rejects.toMatchObject({ kind: 'cancelled' });
    expect(client.inFlight()).toEqual(['draw']);
    worker.postMessage({ type: 'reply', id: requestId(), body: {} });
    await tick();
    expect(client.inFlight()).toEqual([]);
  });

  test('an aborted signal asks nothing', async () => {
    const { client, received } = connect();
    const options = { signal: AbortSignal.abort() };
    await expect(client.request('ping', null, options)).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(received).toEqual([]);
  });

  test('when the worker is gone everything fails with the reason, then and later', async () => {
    const { client } = connect();
    const asked = [client.request('ping', null), client.request('memory', null)];
    const error = new StudioError('worker-crashed', 'It died.');
    client.fail(error);
    for (const request of asked) await expect(request).rejects.toBe(error);
    await expect(client.request('ping', null)).rejects.toBe(error);
  });
});
