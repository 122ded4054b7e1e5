import { expect, it } from 'vitest';
import { pack, unpack } from './wire.ts';

it('bytes cross as bytes, wherever they stand', () => {
  const value = { id: 3, list: [{ preview: new Uint8Array([0, 127, 255]) }, null, 'text'] };
  expect(unpack(pack(value))).toEqual(value);
  expect(unpack(pack(new Uint8Array()))).toEqual(new Uint8Array());
});
