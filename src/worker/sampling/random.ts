/**
 * Seeded random numbers, the same on every machine: xoshiro128** 1.1 (Blackman and Vigna, 2018) over 32-bit
 * integers, its state filled from the seed by SplitMix32. Integer arithmetic only, so a seed reproduces a reply and a
 * picture wherever the engine runs; it does not reproduce PyTorch's numbers.
 */
export class RandomNumbers {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #spareNormal: number | null = null;

  /** @param seed integer from 0 to 2^32 - 1 */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
      throw new RangeError(`seed: expected an integer from 0 to 4294967295, got ${seed}`);
    }
    const next = splitMix32(seed);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** The next 32 random bits, as an integer from 0 to 2^32 - 1. */
  bits(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** Uniform in [0, 1) in steps of 2^-24, so that a float32 holds it exactly. */
  uniform(): number {
    return (this.bits() >>> 8) / 0x100_0000;
  }

  /** Standard normal, by Marsaglia's polar method: it needs only a square root and a logarithm. */
  normal(): number {
    if (this.#spareNormal !== null) {
      const spare = this.#spareNormal;
      this.#spareNormal = null;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * scale;
      return x * scale;
    }
  }
}

/** `count` uniforms in [0, 1), each exact in float32. */
export function uniforms(random: RandomNumbers, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.uniform());
}

/** `count` standard normal numbers rounded to float32: the noise that a drawing starts from. */
export function normalNoise(random: RandomNumbers, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal());
}

/** A fresh seed, from 0 to 2^32 - 1, for replies and pictures that were asked for without one. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}

function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

function rotateLeft(value: number, places: number): number {
  return (value << places) | (value >>> (32 - places));
}
