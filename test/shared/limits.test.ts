import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { limitsOf } from '../../src/shared/domain/limits.ts';
import { recipeSettingsSchema } from '../../src/shared/domain/recipe.ts';
import { drawingSchema, samplingSchema } from '../../src/shared/domain/settings.ts';

describe('the limits of a number', () => {
  test('are its schema’s, through what may be null or left out', () => {
    const { guidance, steps } = drawingSchema.shape;
    expect(limitsOf(guidance)).toEqual({ min: 1, max: 30, whole: false, mayBeNull: true });
    expect(limitsOf(steps)).toEqual({ min: 1, max: 150, whole: true, mayBeNull: false });
    const { seed } = samplingSchema.shape;
    expect(limitsOf(seed)).toEqual({ min: 0, max: 0xffff_ffff, whole: true, mayBeNull: true });
    const { clusters } = recipeSettingsSchema.shape;
    expect(limitsOf(clusters)).toEqual({ min: 1, max: 100_000, whole: true, mayBeNull: true });
  });

  test('are those that the schema refuses beyond', () => {
    for (const [name, schema] of Object.entries(recipeSettingsSchema.shape)) {
      const { min, max, whole } = limitsOf(schema);
      for (const good of [min, max]) expect(schema.safeParse(good).success, name).toBe(true);
      const step = whole ? 1 : 0.01;
      for (const bad of [min - step, max + step]) {
        expect(schema.safeParse(bad).success, name).toBe(false);
      }
      expect(schema.safeParse((min + max) / 2 + 0.001).success, name).toBe(!whole);
    }
  });

  test('are not asked of what has none', () => {
    expect(() => limitsOf(z.string())).toThrow('no schema of a number');
    expect(limitsOf(z.number().min(2)).max).toBe(Infinity);
  });
});
