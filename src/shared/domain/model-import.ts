import { z } from 'zod';
import { modelSizesSchema, qformerConfigSchema } from './model-manifest.ts';

/** What a file or a folder that a person brings can be. */
export const foundKinds = [
  /** A folder with textbind.json: nothing is to be put together. */
  'model',
  'vision',
  'language',
  /** Query tokens and Q-Former; with a projection it is all that stage 1 trains. */
  'qformer',
  /** A TextBind checkpoint of stage 2: those, and a language model. */
  'checkpoint',
  'image-decoder',
  'refiner',
  /** A whole BLIP-2: vision and Q-Former keys beside a language model that is not used. */
  'blip2',
  'gguf',
  'unknown',
] as const;
export const foundKindSchema = z.enum(foundKinds);
export type FoundKind = z.infer<typeof foundKindSchema>;

/** Where parts lie: absolute paths of folders, or of files for the Q-Former and the checkpoint. */
export const importSourcesSchema = z.object({
  vision: z.string(),
  language: z.string(),
  qformer: z.string().nullable(),
  checkpoint: z.string().nullable(),
  /** Folder with preprocessor_config.json; null: the vision model's own, or BLIP-2's. */
  processor: z.string().nullable(),
  base: z.string().nullable(),
  refiner: z.string().nullable(),
});

/** What a model that was brought whole says of itself. */
export const wholeModelSchema = z.object({
  name: z.string(),
  licence: z.string(),
  sources: importSourcesSchema,
  sizes: modelSizesSchema,
  guidance: z.number().min(1).max(30),
});

/** Something that was brought, and what it is. */
export const foundPartSchema = z.object({
  /** Absolute. */
  place: z.string(),
  kind: foundKindSchema,
  /** What it is, in a sentence. */
  says: z.string(),
  /** Why it cannot be used as it is; null where it can. */
  fault: z.string().nullable(),
  /** Of its files. */
  bytes: z.number().int().nonnegative(),
  /** Of a Q-Former: its sizes, as far as its tensors tell, and whether heads were only supposed. */
  qformerConfig: qformerConfigSchema.nullable(),
  /** Whether a Q-Former has the projection into a language model. */
  hasProjection: z.boolean(),
  /** A file with preprocessor_config.json lies in it. */
  hasProcessor: z.boolean(),
  /** Of a whole model. */
  whole: wholeModelSchema.nullable(),
});
export type FoundPart = z.infer<typeof foundPartSchema>;

export const importStorages = ['refer', 'copy', 'int4', 'int8'] as const;
export const importStorageSchema = z.enum(importStorages);

export const modelImportSchema = z.object({
  sources: importSourcesSchema,
  storage: importStorageSchema,
  name: z.string().trim().min(1).max(200),
  licence: z.string().max(2000),
  sizes: modelSizesSchema,
  guidance: z.number().min(1).max(30),
});
export type ModelImport = z.infer<typeof modelImportSchema>;

/** What an import will take on the disk. */
export const importCostSchema = z.object({
  /** Bytes that are written; for `refer` a few hundred. */
  bytes: z.number().int().nonnegative(),
  /** Whether that is exact: a copy is, quantising is worked out from shapes. */
  exact: z.boolean(),
});
export type ImportCost = z.infer<typeof importCostSchema>;

/** One tensor that is not as the network needs it. */
export const partFaultSchema = z.object({
  place: z.string(),
  tensor: z.string(),
  problem: z.enum(['missing', 'wrong']),
  says: z.string(),
});
export type PartFault = z.infer<typeof partFaultSchema>;

export const importProgressSchema = z.object({
  kind: z.literal('importing'),
  step: z.enum(['writing', 'checking', 'loading']),
  part: z.string(),
  /** Bytes written so far. */
  bytes: z.number().int().nonnegative(),
});
export type ImportProgress = z.infer<typeof importProgressSchema>;

export const importOutcomeSchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    folder: z.string(),
    name: z.string(),
    canDraw: z.boolean(),
    bytes: z.number().int().nonnegative(),
    warnings: z.array(z.string()),
  }),
  /** Nothing was written: these tensors do not fit. */
  z.object({ ok: z.literal(false), message: z.string(), faults: z.array(partFaultSchema) }),
]);
export type ImportOutcome = z.infer<typeof importOutcomeSchema>;
