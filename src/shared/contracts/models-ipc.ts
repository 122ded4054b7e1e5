import { z } from 'zod';
import { cataloguePartSchema, catalogueSystemSchema, partRoleSchema } from '../domain/catalogue.ts';
import { cudaStatusSchema } from '../domain/cuda.ts';
import {
  downloadOfferSchema,
  downloadStatusSchema,
  downloadStorageSchema,
  hubStatusSchema,
} from '../domain/download.ts';
import {
  foundPartSchema,
  importCostSchema,
  importOutcomeSchema,
  importProgressSchema,
  importSourcesSchema,
  importStorageSchema,
  modelImportSchema,
} from '../domain/model-import.ts';
import { modelSummarySchema } from '../domain/model-manifest.ts';

const nothing = z.null();
const downloadId = z.object({ downloadId: z.uuid() });
const folder = z.object({ folder: z.string().min(1).max(4096) });
const partUse = z.object({
  folder: z.string(),
  name: z.string(),
  role: partRoleSchema,
  bytes: z.number().int().nonnegative(),
  licence: z.string(),
  usedBy: z.array(z.string()),
});
const moving = folder.extend({
  target: z.string().min(1).max(4096).nullable(),
  withShared: z.boolean(),
});
export type PartUseView = z.infer<typeof partUse>;

/** Models on the disk, what can be fetched, and what is being fetched. */
export const modelRequests = {
  'models.list': { request: nothing, reply: z.object({ models: z.array(modelSummarySchema) }) },
  /** Graphics cards of this machine by name, as far as the system tells. */
  'models.graphics': { request: nothing, reply: z.object({ cards: z.array(z.string()) }) },
  /** CUDA for the engine: what is offered and what of it is here. */
  'models.cuda': { request: nothing, reply: cudaStatusSchema },
  /** Asks which file or folder; null when the person cancelled. */
  'models.pick': {
    request: z.object({ what: z.enum(['file', 'folder']) }),
    reply: z.object({ place: z.string() }).nullable(),
  },
  /** Says what files and folders are. */
  'models.recognise': {
    request: z.object({ places: z.array(z.string().min(1).max(4096)).min(1).max(1000) }),
    reply: z.object({ found: z.array(foundPartSchema) }),
  },
  /** What adding a model would take on the disk, and what is free. */
  'models.cost': {
    request: z.object({ sources: importSourcesSchema, storage: importStorageSchema }),
    reply: importCostSchema.extend({ freeBytes: z.number().int().nonnegative() }),
  },
  /** Adds a model of parts; told by `models.importing`. `busy` while another is added. */
  'models.import': { request: modelImportSchema, reply: importOutcomeSchema },
  'models.stopImport': { request: nothing, reply: nothing },
  'models.rename': {
    request: folder.extend({ name: z.string().trim().min(1).max(200) }),
    reply: nothing,
  },
  /** What deleting a model would take away; changes nothing. */
  'models.removal': {
    request: folder,
    reply: z.object({ ownBytes: z.number().int().nonnegative(), parts: z.array(partUse) }),
  },
  /** Deletes a model, and fetched parts that no other model uses. */
  'models.remove': { request: folder, reply: nothing },
  /**
   * What moving a model to another drive would take along; changes nothing. `target` null: back to the app's own
   * folders.
   */
  'models.movePlan': {
    request: moving,
    reply: z.object({
      bytes: z.number().int().nonnegative(),
      freeBytes: z.number().int().nonnegative(),
      /** Parts that other models use as well: they stay, unless `withShared`. */
      shared: z.array(partUse),
    }),
  },
  /** Moves it; told by `models.moving`. Until all of it is there and compared, nothing has changed. */
  'models.move': { request: moving, reply: nothing },
  'models.stopMoving': { request: nothing, reply: nothing },
  /** Reads all of it again; told by `models.verifying`. Sentences on what is wrong. */
  'models.verify': { request: folder, reply: z.object({ faults: z.array(z.string()) }) },
  'models.stopVerifying': { request: nothing, reply: nothing },
  /** Parts that were fetched, and who uses them. */
  'models.parts': { request: nothing, reply: z.object({ parts: z.array(partUse) }) },
  /** Deletes a part that no model uses. */
  'models.removePart': { request: folder, reply: nothing },

  /** What can be fetched; reads files of this machine alone. */
  'downloads.catalogue': {
    request: nothing,
    reply: z.object({
      parts: z.array(cataloguePartSchema),
      systems: z.array(catalogueSystemSchema),
      faults: z.array(z.string()),
      /** Of this machine. */
      memoryBytes: z.number().positive(),
    }),
  },
  'downloads.list': {
    request: nothing,
    reply: z.object({ downloads: z.array(downloadStatusSchema), hub: hubStatusSchema }),
  },
  /** Asks the hub for sizes and licences. */
  'downloads.look': {
    request: z.object({ entryId: z.string().max(64) }),
    reply: downloadOfferSchema,
  },
  'downloads.stopLooking': { request: nothing, reply: nothing },
  /** Begins what was offered; the person has accepted its licences. */
  'downloads.start': {
    request: z.object({
      offerId: z.uuid(),
      accepted: z.literal(true),
      storage: downloadStorageSchema.optional(),
    }),
    reply: downloadStatusSchema,
  },
  'downloads.pause': { request: downloadId, reply: nothing },
  'downloads.resume': { request: downloadId, reply: nothing },
  /** Forgets it, and deletes what came of it but whole parts. */
  'downloads.cancel': { request: downloadId, reply: nothing },
  'downloads.move': {
    request: downloadId.extend({ by: z.union([z.literal(-1), z.literal(1)]) }),
    reply: nothing,
  },
  /** The token of an account on the hub; null forgets it. */
  'downloads.setToken': {
    request: z.object({ token: z.string().trim().min(1).max(500).nullable() }),
    reply: hubStatusSchema,
  },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>;

export const modelEvents = {
  /** What there is on the disk changed. */
  'models.changed': z.object({ models: z.array(modelSummarySchema) }),
  'models.importing': importProgressSchema,
  'models.moving': folder.extend({ bytes: z.number().nonnegative() }),
  'models.verifying': folder.extend({ bytes: z.number().int().nonnegative() }),
  'downloads.changed': z.object({ downloads: z.array(downloadStatusSchema) }),
} as const satisfies Record<string, z.ZodType>;
