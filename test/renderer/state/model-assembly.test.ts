import { describe, expect, test } from 'vitest';
import { assemble, suggestedName } from '../../../src/renderer/state/model-assembly.ts';
import { sampleQformer as qformerConfig } from '../../support/samples.ts';
import type { FoundPart } from '../../../src/shared/domain/model-import.ts';

const found = (kind: FoundPart['kind'], more: Partial<FoundPart> = {}): FoundPart => ({
  ...{ place: `/models/${kind}`, kind, says: '', fault: null, bytes: 1, qformerConfig: null },
  ...{ hasProjection: false, hasProcessor: false, whole: null, ...more },
});
const trained = found('qformer', { qformerConfig, hasProjection: true });

describe('what makes a model', () => {
  test('vision, language and a trained Q-Former do; drawing is welcome', () => {
    const parts = [found('vision'), found('language'), trained];
    expect(assemble(parts)).toMatchObject({
      missing: [],
      sources: {
        vision: '/models/vision',
        qformer: '/models/qformer',
        checkpoint: null,
        base: null,
      },
      sizes: { qformerConfig },
    });
    expect(assemble(parts).remarks).toHaveLength(1);
    const drawing = [...parts, found('image-decoder'), found('refiner')];
    expect(assemble(drawing)).toMatchObject({
      remarks: [],
      sources: { refiner: '/models/refiner' },
    });
  });

  test('keys without a projection are no trained Q-Former', () => {
    const keys = found('qformer', { qformerConfig });
    const { missing, sources } = assemble([found('vision'), found('language'), keys]);
    expect(sources).toBeNull();
    expect(missing.map(({ role }) => role)).toEqual(['checkpoint']);
    const checkpoint = found('checkpoint', { qformerConfig, hasProjection: true });
    const whole = assemble([found('vision'), found('language'), keys, checkpoint]);
    expect(whole.sources).toMatchObject({
      qformer: '/models/qformer',
      checkpoint: '/models/checkpoint',
    });
  });

  test('a BLIP-2 gives eyes and keys at once', () => {
    const blip2 = found('blip2', { qformerConfig });
    const checkpoint = found('checkpoint', { hasProjection: true });
    expect(assemble([blip2, found('language'), checkpoint]).sources).toMatchObject({
      vision: '/models/blip2',
      qformer: '/models/blip2',
    });
  });

  test('what is broken is not used, and what came later is meant', () => {
    const broken = found('language', { fault: 'It has no tokenizer.' });
    expect(assemble([broken, found('vision'), trained]).missing.map(({ role }) => role)).toEqual([
      'language',
    ]);
    const two = [
      found('language'),
      found('language', { place: '/other' }),
      found('vision'),
      trained,
    ];
    expect(assemble(two).sources?.language).toBe('/other');
  });

  test('a GGUF file is the language part, and is told to be written anew', () => {
    const gguf = found('gguf', { place: '/models/llama-2-7b.Q4_K_M.gguf' });
    const { sources, remarks } = assemble([found('vision'), trained, gguf]);
    expect(sources?.language).toBe('/models/llama-2-7b.Q4_K_M.gguf');
    expect(remarks[0]).toContain('written anew');
    expect(suggestedName([gguf])).toBe('llama-2-7b.Q4_K_M, with pictures');
    const broken = found('gguf', { fault: 'general.architecture is "mamba"' });
    expect(assemble([found('vision'), trained, broken]).missing.map(({ role }) => role)).toEqual([
      'language',
    ]);
  });

  test('a model that is brought whole needs nothing beside it, and keeps its name', () => {
    const places = { vision: '/m/vision', language: '/m/language', qformer: '/m/qformer/x' };
    const sources = {
      ...places,
      checkpoint: null,
      processor: '/m/vision',
      base: null,
      refiner: null,
    };
    const sizes = { qformerConfig, maxPicturesPerReply: 2, maxSequenceLength: 256 };
    const whole = { name: 'Mine', licence: 'MIT', sources, sizes, guidance: 3 };
    const model = found('model', { whole });
    const { name, ...rest } = whole;
    expect(assemble([model])).toMatchObject({ ...rest, missing: [] });
    expect(suggestedName([model])).toBe(name);
    const broken = found('model', { whole, fault: 'A part is missing.' });
    expect(assemble([broken]).sources).toBeNull();
  });

  test('nothing brought lacks all three', () => {
    expect(assemble([]).missing.map(({ role }) => role)).toEqual([
      'vision',
      'language',
      'checkpoint',
    ]);
    expect(suggestedName([])).toBe('');
    expect(suggestedName([found('language', { place: '/x/Llama-2-7b' })])).toBe(
      'Llama-2-7b, with pictures',
    );
  });
});
