import { z } from 'zod';

const pathSchema = z.string().min(1);

/** Size of the Q-Former, with the variable names of the reference's scripts in camel case. */
export const qformerConfigSchema = z.object({
  // Far beyond every published model: what would be built for hours is refused at once.
  numQueryTokens: z.number().int().positive().max(4096),
  numHiddenLayers: z.number().int().positive().max(256),
  numAttentionHeads: z.number().int().positive().max(1024),
  hiddenSize: z.number().int().positive().max(65_536),
  intermediateSize: z.number().int().positive().max(1_048_576),
});
export type QformerConfig = z.infer<typeof qformerConfigSchema>;

/** `textbind.md` section 1: the paper's Q-Former, where nothing says otherwise. */
export const paperQformer: QformerConfig = {
  numQueryTokens: 32,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  hiddenSize: 768,
  intermediateSize: 3072,
};
/** The released checkpoints' longest sequence. */
export const paperLength = 768;

/** The SDXL pipeline's own classifier-free guidance. */
export const usualGuidance = 5;

/** What textbind.json says besides names and places. */
export const modelSizesSchema = z.object({
  qformerConfig: qformerConfigSchema,
  /** Most pictures in one reply: more than the model was trained to write are left out. 4: the reference's limit. */
  maxPicturesPerReply: z.number().int().min(1).max(16).default(4),
  maxSequenceLength: z.number().int().min(64).max(131_072),
});

/** `textbind.json`: names the parts of a model on disk. Paths are relative to the file or absolute. */
export const modelManifestSchema = z
  .object({
    name: z.string().min(1),
    licence: z.string(),
    /** Folder of a Hugging Face `Blip2VisionModel` (config.json, safetensors). */
    visionModel: pathSchema,
    /** Safetensors file with `query_tokens`, `qformer.*`, `qformer_projection.*`. */
    qformer: pathSchema.optional(),
    /** TextBind checkpoint laid over the parts: the Q-Former's keys and, from stage 2, `language_model.*`. */
    checkpoint: pathSchema.optional(),
    /** Folder of a Hugging Face Llama model with its tokenizer. */
    languageModel: pathSchema,
    /** Folder with `preprocessor_config.json`. */
    processor: pathSchema,
    /** Folders of diffusers pipelines; null where the model cannot draw. */
    imageDecoder: z
      .object({
        base: pathSchema,
        refiner: pathSchema.nullable().default(null),
        /** Classifier-free guidance that suits these weights. */
        guidance: z.number().min(1).max(30).default(usualGuidance),
      })
      .nullable(),
    ...modelSizesSchema.shape,
  })
  .refine((manifest) => manifest.qformer !== undefined || manifest.checkpoint !== undefined, {
    message: 'one of "qformer" and "checkpoint" must be given',
  });
export type ModelManifest = z.infer<typeof modelManifestSchema>;

/** A model as the interface lists it. */
export const modelSummarySchema = z.object({
  name: z.string(),
  folder: z.string(),
  licence: z.string(),
  canDraw: z.boolean(),
  /** All its files, those too that textbind.json names elsewhere. */
  bytesOnDisk: z.number().int().nonnegative(),
  embedded: z.boolean(),
  /** The folder on another drive that its own files were moved to. */
  home: z.string().optional(),
  /** Why it cannot be used, for a folder whose textbind.json is broken. */
  fault: z.string().nullable(),
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;
