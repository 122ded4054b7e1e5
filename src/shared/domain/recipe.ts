import { z } from 'zod';
import { rejectReasons } from './recipe-conversation.ts';

/** TextBind's own data recipe, from pictures with captions to conversations, as main, the command and the window speak of it. */

const count = z.number().int().nonnegative();

export const recipeSettingsSchema = z.object({
  /** Conversations to write. */
  count: z.number().int().min(1).max(1_000_000).default(50),
  /** Pictures of one conversation. */
  least: z.number().int().min(1).max(8).default(2),
  most: z.number().int().min(1).max(8).default(4),
  /** Clusters of pictures; null: about one for twelve. */
  clusters: z.number().int().min(1).max(100_000).nullable().default(null),
  /** The share of pictures that fit their captions worst, and are left out. */
  leaveOut: z.number().min(0).max(0.9).default(0.1),
  /** Answers that are asked for, where one is not taken. */
  tries: z.number().int().min(1).max(10).default(2),
  /** Requests at the same time. */
  atOnce: z.number().int().min(1).max(64).default(2),
  /** Of one answer. */
  maxTokens: z.number().int().min(16).max(32_768).default(1024),
  temperature: z.number().min(0).max(2).default(0.9),
  seed: z.number().int().min(0).max(0x7fff_ffff).default(0),
});
export type RecipeSettings = z.infer<typeof recipeSettingsSchema>;

/** Who writes: the model that is open in the app, or a server that speaks as OpenAI's does. */
export const recipeWriterSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('app') }),
  z.object({
    kind: z.literal('server'),
    /** Up to and with `/v1`. */
    address: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .transform((address) => address.replace(/\/+$/, '')),
    model: z.string().trim().min(1).max(200),
  }),
]);
export type RecipeWriter = z.infer<typeof recipeWriterSchema>;

/** What a person pays, of a million tokens. */
export const recipePriceSchema = z.object({
  prompt: z.number().min(0).max(1_000_000),
  reply: z.number().min(0).max(1_000_000),
  currency: z.string().trim().max(8),
});
export type RecipePrice = z.infer<typeof recipePriceSchema>;

/** What a recipe is made with. */
export const recipePlanSchema = z.object({
  name: z.string().trim().min(1).max(120),
  data: z.object({
    /** As it is shown. */
    name: z.string(),
    path: z.string().min(1),
    images: z.string().nullable(),
  }),
  /** A model's folder, or a CLIP's. */
  eyes: z.string().min(1).max(4096),
  settings: recipeSettingsSchema,
  writer: recipeWriterSchema,
  price: recipePriceSchema.nullable(),
});
export type RecipePlan = z.infer<typeof recipePlanSchema>;

/** Why writing stopped before its end. */
export const recipeTroubleSchema = z.object({ message: z.string(), remedy: z.string() });
export type RecipeTrouble = z.infer<typeof recipeTroubleSchema>;

export const recipeCountsSchema = z.object({
  /** Conversations that obey the rules, not judged yet. */
  toReview: count,
  accepted: count,
  rejected: count,
  /** Every try was against the rules. */
  filtered: count,
  /** Every try had no answer in the form of one. */
  failed: count,
  /** Not asked for yet, or to be tried again. */
  toWrite: count,
});

export const recipeSchema = z.object({
  id: z.uuid(),
  plan: recipePlanSchema,
  createdAt: z.number(),
  /** `looking`: at the pictures. */
  state: z.enum(['resting', 'looking', 'writing']),
  progress: z.object({ done: count, total: count }).nullable(),
  pictures: z
    .object({
      count,
      skipped: count,
      /** Whether these eyes can compare pictures with captions. */
      compared: z.boolean(),
    })
    .nullable(),
  /** Sizes of the clusters, the largest first; null while there are none. */
  clusters: z.array(count).nullable(),
  counts: recipeCountsSchema,
  /** Answers that were not taken, by reason. */
  reasons: z.partialRecord(z.enum(rejectReasons), count),
  tokens: z.object({ prompt: count, reply: count, answers: count }),
  trouble: recipeTroubleSchema.nullable(),
  /** The server asked to wait until then. */
  waitsUntil: z.number().nullable(),
  /** The address that a person said yes to; null: to none yet. */
  confirmed: z.string().nullable(),
  /** Judgements or edits that can be undone. */
  canUndo: z.boolean(),
});
export type Recipe = z.infer<typeof recipeSchema>;

export const recipeEstimateSchema = z.object({
  requests: count,
  promptTokens: count,
  replyTokens: count,
  /** In the price's currency; null without a price. */
  cost: z.number().nullable(),
  /** Null before the first answer. */
  seconds: z.number().nullable(),
  /** Where captions go; null: nowhere. */
  address: z.string().nullable(),
});
export type RecipeEstimate = z.infer<typeof recipeEstimateSchema>;

export const recipeItemKinds = ['to-review', 'accepted', 'rejected', 'left-out'] as const;
export type RecipeItemKind = (typeof recipeItemKinds)[number];

/** A conversation with its pictures, to be looked through. */
export const recipeItemSchema = z.object({
  number: count,
  text: z.string(),
  edited: z.boolean(),
  reasons: z.array(z.enum(rejectReasons)),
  /** Of one that has no answer at all. */
  failure: z.string().nullable(),
  verdict: z.enum(['accepted', 'rejected']).nullable(),
  pictures: z.array(
    z.object({
      number: count,
      caption: z.string(),
      likeness: z.number().nullable(),
      /** A `data:` address. */
      src: z.string(),
    }),
  ),
});
export type RecipeItem = z.infer<typeof recipeItemSchema>;

const alike = z.object({ pictures: count, mean: z.number(), lowestTenth: z.number() });
/** How good what was made is, by numbers. */
export const recipeQualitySchema = z.object({
  /** Of the accepted conversations, of 3 (the paper's measure); null where nobody speaks. */
  diversity: z.object({ user: z.number().nullable(), assistant: z.number().nullable() }),
  /** How alike pictures are to their captions, in all and in the accepted conversations; null where eyes cannot tell. */
  likeness: z.object({ all: alike, accepted: alike.nullable() }).nullable(),
});
export type RecipeQuality = z.infer<typeof recipeQualitySchema>;

/** A cluster, by a few of its pictures. */
export const recipeClusterSchema = z.object({
  size: count,
  pictures: z.array(z.object({ caption: z.string(), src: z.string() })),
});
export type RecipeCluster = z.infer<typeof recipeClusterSchema>;
