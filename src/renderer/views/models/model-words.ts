import type { PartRole } from '../../../shared/domain/catalogue.ts';
import type { FoundKind } from '../../../shared/domain/model-import.ts';

/** What a part is in a model, in a word or two. */
export const roleWords = {
  vision: 'Vision',
  language: 'Language',
  checkpoint: 'TextBind weights',
  'image-decoder': 'Drawing',
  refiner: 'Refiner',
} as const satisfies Record<PartRole, string>;

export const kindWords = {
  model: 'Model',
  vision: 'Vision',
  language: 'Language',
  qformer: 'Q-Former',
  checkpoint: 'TextBind weights',
  'image-decoder': 'Drawing',
  refiner: 'Refiner',
  blip2: 'Vision',
  gguf: 'GGUF',
  unknown: 'Not used',
} as const satisfies Record<FoundKind, string>;
