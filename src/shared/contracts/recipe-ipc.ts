import { z } from 'zod';
import {
  recipeClusterSchema,
  recipeQualitySchema,
  recipeEstimateSchema,
  recipeItemKinds,
  recipeItemSchema,
  recipePlanSchema,
  recipePriceSchema,
  recipeSchema,
  recipeSettingsSchema,
  recipeWriterSchema,
} from '../domain/recipe.ts';
import { datasetSchema } from '../domain/training.ts';

/** The recipe's part of what the window may ask main, and of what main tells it. */

const nothing = z.null();
const recipeId = z.object({ recipeId: z.uuid() });
const item = recipeId.extend({ number: z.number().int().nonnegative() });
const address = z.url({ protocol: /^https?$/ }).max(2000);

export const recipeRequests = {
  'recipes.list': { request: nothing, reply: z.object({ recipes: z.array(recipeSchema) }) },
  /** Makes one of a data set of stage 1; nothing is looked at or sent yet. */
  'recipes.create': {
    request: recipePlanSchema.omit({ data: true }).extend({ datasetId: z.uuid() }),
    reply: recipeSchema,
  },
  /** What may differ from one go to the next. Another address has to be confirmed anew. */
  'recipes.change': {
    request: recipeId.extend({
      settings: recipeSettingsSchema.optional(),
      writer: recipeWriterSchema.optional(),
      price: recipePriceSchema.nullable().optional(),
    }),
    reply: recipeSchema,
  },
  /** Looks at the pictures, or goes on with it, and puts them into clusters. */
  'recipes.look': { request: recipeId, reply: nothing },
  'recipes.clusters': {
    request: recipeId,
    reply: z.object({ clusters: z.array(recipeClusterSchema) }),
  },
  /** Diversity of what is accepted, and how well captions fit their pictures. */
  'recipes.quality': { request: recipeId, reply: recipeQualitySchema },
  'recipes.estimate': { request: recipeId, reply: recipeEstimateSchema },
  /**
   * Writes what is not written yet. `sendTo`: the address that the person saw and said yes to, null where nothing
   * leaves the app; it must be the recipe's. `most`: conversations of this go; null: all.
   */
  'recipes.write': {
    request: recipeId.extend({
      sendTo: z.string().nullable(),
      most: z.number().int().min(1).nullable(),
    }),
    reply: nothing,
  },
  /** Tries those again that were left out. */
  'recipes.again': { request: recipeId, reply: recipeSchema },
  /** Ends what is under way; it goes on from there. */
  'recipes.pause': { request: recipeId, reply: nothing },
  'recipes.items': {
    request: recipeId.extend({
      kind: z.enum(recipeItemKinds),
      from: z.number().int().nonnegative(),
      count: z.number().int().min(1).max(50),
    }),
    reply: z.object({ items: z.array(recipeItemSchema) }),
  },
  'recipes.judge': {
    request: item.extend({ verdict: z.enum(['accepted', 'rejected']).nullable() }),
    reply: recipeItemSchema,
  },
  'recipes.edit': {
    request: item.extend({ text: z.string().max(100_000) }),
    reply: recipeItemSchema,
  },
  /** Takes the last judgement or edit back; the conversation that it was about. */
  'recipes.undo': { request: recipeId, reply: recipeItemSchema.nullable() },
  /** Gives it to the language model as an example from now on. */
  'recipes.example': { request: item, reply: nothing },
  'recipes.export': {
    request: recipeId.extend({ name: z.string().trim().min(1).max(120) }),
    reply: datasetSchema,
  },
  /** Deletes it with its pictures' copies; data sets made of it stay. */
  'recipes.remove': { request: recipeId, reply: nothing },
  'recipes.openPrompts': { request: nothing, reply: nothing },
  /** Puts the app's own prompts back; the changed ones are kept beside. */
  'recipes.restorePrompts': {
    request: nothing,
    reply: z.object({ keptAs: z.string().nullable() }),
  },
  /** Whether there is a key for an address, and where one is kept. */
  'recipes.key': {
    request: z.object({ address }),
    reply: z.object({ has: z.boolean(), kept: z.enum(['system', 'session']) }),
  },
  'recipes.setKey': {
    request: z.object({ address, key: z.string().trim().min(1).max(1000).nullable() }),
    reply: z.object({ has: z.boolean(), kept: z.enum(['system', 'session']) }),
  },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>;

export const recipeEvents = {
  'recipes.changed': z.object({ recipe: recipeSchema, removed: z.boolean() }),
} as const satisfies Record<string, z.ZodType>;
