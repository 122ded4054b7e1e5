import { z } from 'zod';
import { modelSizesSchema } from './model-manifest.ts';

/** What a part is in a TextBind system; `vision` may hold the Q-Former's keys as well. */
export const partRoles = ['vision', 'language', 'checkpoint', 'image-decoder', 'refiner'] as const;
/** `provider` is no part of a system: what the engine runs on a GPU with. */
export const partRoleSchema = z.enum([...partRoles, 'provider']);
export type PartRole = z.infer<typeof partRoleSchema>;

const idSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);

export const licenceTermsSchema = z.object({
  name: z.string().min(1),
  /** Where its words are. */
  address: z.url({ protocol: /^https?$/ }).nullable(),
  /** What a person should know of it in a sentence; null where it asks for nothing but to be kept. */
  says: z.string().nullable(),
});

/** A package of a NuGet feed, of which some files are wanted. */
export const packageSourceSchema = z.object({
  /** Index of the feed. */
  feed: z.url({ protocol: /^https?$/ }),
  name: z.string().min(1),
  version: z.string().min(1),
});
export type PackageSource = z.infer<typeof packageSourceSchema>;

/** A part that a hub has. */
export const cataloguePartSchema = z.object({
  id: idSchema,
  role: partRoleSchema,
  name: z.string().min(1),
  /** What it is for, in a sentence. */
  about: z.string().min(1),
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  revision: z.string().min(1).default('main'),
  /** Paths within the repository that are fetched; `*` stands for anything but a slash. */
  files: z.array(z.string().min(1)).min(1),
  /** Where only some tensors of a checkpoint are needed: beginnings of their names, and what is written. */
  tensors: z
    .object({
      from: z.string().min(1),
      prefixes: z.array(z.string().min(1)).min(1),
      file: z.string().regex(/^[\w.-]+\.safetensors$/),
    })
    .nullable()
    .default(null),
  /** Where it comes from a feed of packages, not from the hub; `files` are within the package then. */
  source: packageSourceSchema.nullable().default(null),
  licence: licenceTermsSchema,
  /** Whether an account must have accepted terms on the hub. */
  gated: z.boolean().default(false),
  /** Of what is fetched, as the hub's pages round it; null where nobody looked. The exact figure is asked of the hub. */
  aboutBytes: z.number().int().positive().nullable().default(null),
});
export type CataloguePart = z.infer<typeof cataloguePartSchema>;

/** Parts that make a model one can talk to. */
export const catalogueSystemSchema = z.object({
  id: idSchema,
  name: z.string().min(1),
  about: z.string().min(1),
  /** Ids of parts. */
  parts: z.object({
    vision: idSchema,
    language: idSchema,
    checkpoint: idSchema,
    'image-decoder': idSchema.optional(),
    refiner: idSchema.optional(),
  }),
  manifest: modelSizesSchema,
  /** Guidance that suits the image decoder. */
  guidance: z.number().min(1).max(30).default(5),
  /** Bytes of memory on the processor, as the memory plan sums them up; null where nobody worked it out. */
  needs: z
    .object({
      talkingBytes: z.number().int().positive(),
      /** With the language model in 8 and in 4 bits. */
      in8Bits: z.number().int().positive(),
      in4Bits: z.number().int().positive(),
      drawingBytes: z.number().int().positive().nullable(),
    })
    .nullable()
    .default(null),
});
export type CatalogueSystem = z.infer<typeof catalogueSystemSchema>;

export const catalogueSchema = z
  .object({
    version: z.literal(1),
    parts: z.array(cataloguePartSchema),
    systems: z.array(catalogueSystemSchema),
  })
  .superRefine(({ parts, systems }, context) => {
    const ids = [...parts, ...systems].map(({ id }) => id);
    for (const id of ids.filter((each, index) => ids.indexOf(each) !== index)) {
      context.addIssue({ code: 'custom', message: `"${id}" is there twice` });
    }
  });
export type Catalogue = z.infer<typeof catalogueSchema>;
