import { describe, expect, it } from 'vitest';
import { bytes } from '../../src/renderer/views/chat/words.ts';

describe('a size in the window', () => {
  it.each([
    [3_400, '3 kB'],
    [134e6, '134 MB'],
    [13.2e9, '13.2 GB'],
    [13e9, '13 GB'],
    [900_000e9, '900 TB'],
  ])('%d bytes are %s', (count, words) =>
    expect(bytes(count).replaceAll('\u00a0', ' ')).toBe(words),
  );
});
