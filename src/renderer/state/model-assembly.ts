/** Which of the parts that were brought make a model, and what is missing; pure. */
import type { PartRole } from '../../shared/domain/catalogue.ts';
import { paperLength, paperQformer, usualGuidance } from '../../shared/domain/model-manifest.ts';
import type { FoundPart, ModelImport } from '../../shared/domain/model-import.ts';
import { t } from '../texts.svelte.ts';

export interface Missing {
  /** A part of the catalogue that would fill it. */
  readonly role: PartRole;
  readonly says: string;
}

export interface Assembly {
  /** Null as long as something is missing. */
  readonly sources: ModelImport['sources'] | null;
  readonly sizes: ModelImport['sizes'] | null;
  readonly guidance: number;
  /** Of a model that was brought whole; null where each part has its own. */
  readonly licence: string | null;
  readonly missing: readonly Missing[];
  /** What comes of it without what is left out. */
  readonly remarks: readonly string[];
}

type Chosen = Record<
  'vision' | 'language' | 'checkpoint' | 'qformer' | 'base' | 'refiner',
  FoundPart | null
>;

/** Takes the last of each kind: what was brought later was meant. A whole model needs nothing beside it. */
export function assemble(found: readonly FoundPart[]): Assembly {
  const whole = wholeOf(found);
  if (whole === null) return assembleParts(found);
  const { sources, sizes, guidance, licence } = whole;
  const remarks = sources.base === null ? [t.models.withoutImageDecoder] : [];
  return { sources, sizes, guidance, licence, missing: [], remarks };
}

function wholeOf(found: readonly FoundPart[]): FoundPart['whole'] {
  return found.findLast(({ whole, fault }) => whole !== null && fault === null)?.whole ?? null;
}

function assembleParts(found: readonly FoundPart[]): Assembly {
  const chosen = choose(found);
  const { vision, language, checkpoint, qformer, base } = chosen;
  const missing = missingOf(chosen);
  const remarks = remarksOf(chosen);
  if (vision === null || language === null || missing.length > 0) {
    return { sources: null, sizes: null, ...unsaid, missing, remarks };
  }
  const config = checkpoint?.qformerConfig ?? qformer?.qformerConfig ?? paperQformer;
  return {
    sources: {
      vision: vision.place,
      language: language.place,
      qformer: qformer?.place ?? null,
      checkpoint: checkpoint?.place ?? null,
      processor: null,
      base: base?.place ?? null,
      refiner: base === null ? null : (chosen.refiner?.place ?? null),
    },
    sizes: { qformerConfig: config, maxPicturesPerReply: 4, maxSequenceLength: paperLength },
    ...unsaid,
    missing,
    remarks,
  };
}

/** What parts alone do not say. */
const unsaid = { guidance: usualGuidance, licence: null } as const;

function choose(found: readonly FoundPart[]): Chosen {
  const usable = found.filter(({ fault }) => fault === null);
  const last = (...kinds: FoundPart['kind'][]): FoundPart | null =>
    usable.findLast(({ kind }) => kinds.includes(kind)) ?? null;
  const vision = last('vision', 'blip2');
  // A BLIP-2 has its Q-Former beside its vision encoder.
  const beside = vision !== null && vision.qformerConfig !== null ? vision : null;
  return {
    vision,
    // A GGUF file is a language model with its tokenizer.
    language: last('language', 'gguf'),
    checkpoint: last('checkpoint'),
    qformer: last('qformer') ?? beside,
    base: last('image-decoder'),
    refiner: last('refiner'),
  };
}

function missingOf({ vision, language, checkpoint, qformer }: Chosen): Missing[] {
  const hasProjection = checkpoint?.hasProjection === true || qformer?.hasProjection === true;
  const joined = hasProjection ? (checkpoint ?? qformer) : null;
  return [
    ...lack(vision, 'vision', t.models.visionEncoderWhichSeesPictures),
    ...lack(language, 'language', t.models.languageModelWithItsTokenizer),
    ...lack(joined, 'checkpoint', t.models.whatJoinsThem),
  ];
}

function remarksOf({ language, base, refiner }: Chosen): string[] {
  return [
    ...(language?.kind === 'gguf' ? [t.models.ggufIsWrittenAnew] : []),
    ...(base === null ? [t.models.withoutImageDecoder] : []),
    ...(refiner !== null && base === null ? [t.models.refinerNeedsBase] : []),
  ];
}

function lack(part: FoundPart | null, role: PartRole, says: string): Missing[] {
  return part === null ? [{ role, says }] : [];
}

/** After the language model's folder or file: what most people call a model by. */
export function suggestedName(found: readonly FoundPart[]): string {
  const whole = wholeOf(found);
  if (whole !== null) return whole.name;
  const kinds: readonly FoundPart['kind'][] = ['checkpoint', 'language', 'gguf'];
  const part = found.findLast(({ kind, fault }) => kinds.includes(kind) && fault === null);
  const folder = part?.place.split(/[\\/]/).findLast((name) => !/\.(pt|safetensors)$/.test(name));
  return folder === undefined ? '' : t.models.withPictures(folder.replace(/\.gguf$/i, ''));
}
