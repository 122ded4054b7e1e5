import { expect, it } from 'vitest';
import { createPortPair } from '../../src/base/port.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('hands over in order, also what came before the receiver was there', async () => {
  const [left, right] = createPortPair();
  left.postMessage(1);
  left.postMessage(2);
  await settle();
  const got: unknown[] = [];
  right.onMessage((message) => got.push(message));
  left.postMessage(3);
  await settle();
  expect(got).toEqual([1, 2, 3]);
});

it('copies as a process boundary does: later changes are not seen, functions are refused', async () => {
  const [left, right] = createPortPair();
  const got: unknown[] = [];
  right.onMessage((message) => got.push(message));
  const bytes = new Uint8Array([1, 2, 3]);
  left.postMessage({ bytes });
  bytes[0] = 9;
  await settle();
  expect(got).toEqual([{ bytes: new Uint8Array([1, 2, 3]) }]);
  expect(() => left.postMessage({ callback: () => 1 })).toThrow();
});

it('is silent once closed, on either side', async () => {
  const [left, right] = createPortPair();
  const got: unknown[] = [];
  right.onMessage((message) => got.push(message));
  left.postMessage('in flight');
  right.close();
  left.postMessage('late');
  await settle();
  expect(got).toEqual([]);
});
