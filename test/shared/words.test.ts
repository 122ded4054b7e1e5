import { describe, expect, it } from 'vitest';
import { gigabytes } from '../../src/shared/words.ts';

describe('a size for a person', () => {
  it.each([
    [0, '1 MB'],
    [134e6, '134 MB'],
    [999.6e6, '1 GB'],
    [1.2e9, '1.2 GB'],
    [4.97e9, '5 GB'],
    [99.96e9, '100 GB'],
    [131.4e9, '131 GB'],
    [999.6e9, '1 TB'],
    [1.26e12, '1.3 TB'],
    [900_000e9, '900 TB'],
    [12_345e12, '12345 TB'],
  ])('%d bytes are %s', (bytes, words) => expect(gigabytes(bytes)).toBe(words));
});
