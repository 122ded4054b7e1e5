import { z } from 'zod';
import { modelSummarySchema } from '../domain/model-manifest.ts';
import { gatheredRowSchema, gatherFromSchema } from '../domain/gather.ts';
import {
  dataSampleSchema,
  datasetSchema,
  packedRunSchema,
  preflightSchema,
  runChangeSchema,
  runDetailSchema,
  runHistorySchema,
  runPlanSchema,
  runRepliesSchema,
  runSummarySchema,
  trainerStatusSchema,
} from '../domain/training.ts';

/** The training's part of what the window may ask main, and of what main tells it. */

const nothing = z.null();
const count = z.number().int().nonnegative();
const runId = z.object({ runId: z.uuid() });
const datasetId = z.object({ datasetId: z.uuid() });
const place = z.string().trim().min(1).max(4096);

export const trainingRequests = {
  'trainer.status': { request: nothing, reply: trainerStatusSchema },
  /** Makes an environment under the data folder and fetches the packages: only here does anything leave the machine. */
  'trainer.install': {
    request: z.object({ python: place.nullable(), build: z.enum(['usual', 'cpu']) }),
    reply: trainerStatusSchema,
  },
  /** Gives up what is being done with the environment. */
  'trainer.cancel': { request: nothing, reply: nothing },
  /** Takes a Python that is there, with its packages, and verifies it. */
  'trainer.choose': { request: z.object({ python: place }), reply: trainerStatusSchema },
  'trainer.verify': { request: nothing, reply: trainerStatusSchema },
  /** Fetches what our own environment lacks; makes it anew where that does not do. */
  'trainer.repair': { request: nothing, reply: trainerStatusSchema },
  /** Deletes our own environment, or forgets one that was chosen. */
  'trainer.remove': { request: nothing, reply: trainerStatusSchema },

  'datasets.list': { request: nothing, reply: z.object({ datasets: z.array(datasetSchema) }) },
  /** Adds a file or a folder where it lies, and begins to look through it. */
  'datasets.add': {
    request: z.object({ path: place, images: place.nullable() }),
    reply: datasetSchema,
  },
  /** Asks for a file or a folder; null when the person cancelled. */
  'datasets.pick': {
    request: z.object({ what: z.enum(['file', 'folder']) }),
    reply: z.object({ path: z.string() }).nullable(),
  },
  /** What a data set made of the app's own conversations would hold, some conversations at a time, the newest first. */
  'datasets.gatherable': {
    request: z.object({
      from: gatherFromSchema,
      limit: z.number().int().min(1).max(100),
      offset: z.number().int().min(0),
    }),
    reply: z.object({ rows: z.array(gatheredRowSchema), total: count }),
  },
  /** Makes it. `changed`: replies of whose exchanges the opposite of the default is done. */
  'datasets.gather': {
    request: z.object({
      name: z.string().trim().min(1).max(120),
      from: gatherFromSchema,
      changed: z.array(z.uuid()).max(1_000_000),
    }),
    reply: datasetSchema,
  },
  'datasets.check': { request: datasetId, reply: datasetSchema },
  'datasets.change': {
    request: datasetId.extend({
      name: z.string().trim().min(1).max(120).optional(),
      skipsBadRows: z.boolean().optional(),
      /** Some files hold rows for either stage. */
      stage: z.union([z.literal(1), z.literal(2)]).optional(),
    }),
    reply: datasetSchema,
  },
  /** Makes two data sets of a list of rows: to train on, and held back. */
  'datasets.split': {
    request: datasetId.extend({
      share: z.number().min(0.001).max(0.9),
      withoutFaults: z.boolean(),
    }),
    reply: z.object({ datasets: z.array(datasetSchema) }),
  },
  /** Makes a data set of all rows but some that a person does not want. */
  'datasets.exclude': {
    request: datasetId.extend({
      name: z.string().trim().min(1).max(120),
      rows: z.array(count).min(1).max(100_000),
    }),
    reply: datasetSchema,
  },
  /** Takes it out of the list; files that the app did not make stay. */
  'datasets.remove': { request: datasetId, reply: nothing },
  /** A few rows as a model is given them in training. */
  'datasets.samples': {
    request: datasetId.extend({
      modelFolder: z.string().min(1),
      from: z.number().int().min(0),
      count: z.number().int().min(1).max(20),
    }),
    reply: z.object({ samples: z.array(dataSampleSchema) }),
  },

  'runs.list': { request: nothing, reply: z.object({ runs: z.array(runSummarySchema) }) },
  'runs.open': { request: runId, reply: runDetailSchema },
  'runs.history': {
    request: runId.extend({ points: z.number().int().min(10).max(10_000) }),
    reply: runHistorySchema,
  },
  /** What it was asked while it learnt, and its answers, of at most about so many times. */
  'runs.replies': {
    request: runId.extend({ times: z.number().int().min(2).max(10_000) }),
    reply: runRepliesSchema,
  },
  /** Writes the run's folder and its run file; it is not started. */
  'runs.create': { request: runPlanSchema, reply: runSummarySchema },
  /** A few real steps, without saving anything. */
  'runs.preflight': { request: runPlanSchema, reply: preflightSchema },
  /** Starts it, or goes on from its last checkpoint. */
  'runs.start': {
    request: runId.extend({ acceptChanges: z.boolean() }),
    reply: runSummarySchema,
  },
  /** Asks it to save and leave. */
  'runs.stop': { request: runId, reply: runSummarySchema },
  /** Ends it at once; what it did since its last checkpoint is lost. */
  'runs.kill': { request: runId, reply: runSummarySchema },
  'runs.change': { request: runId.extend({ change: runChangeSchema }), reply: runDetailSchema },
  'runs.rename': {
    request: runId.extend({ name: z.string().trim().min(1).max(120) }),
    reply: runSummarySchema,
  },
  /** Whether the chat's model gives up its memory while the run is under way. */
  'runs.restEngine': {
    request: runId.extend({ restsEngine: z.boolean() }),
    reply: runSummarySchema,
  },
  /** The same settings again, not started. */
  'runs.duplicate': { request: runId, reply: runSummarySchema },
  /** Puts it aside; `runs.restore` brings it back, for 30 days. */
  'runs.delete': { request: runId, reply: nothing },
  'runs.restore': { request: runId, reply: runSummarySchema },
  /** Makes a model of a checkpoint (null: the newest); it is in the list of models then. */
  'runs.publish': {
    request: runId.extend({
      step: z.number().int().nonnegative().nullable(),
      name: z.string().trim().min(1).max(120),
    }),
    reply: modelSummarySchema,
  },
  /** Asks where, and writes a folder with which another machine does the run; null when the person cancelled. */
  'runs.pack': {
    request: runId.extend({
      copy: z.boolean(),
      nodes: z.number().int().min(1).max(1024),
      gpus: z.number().int().min(1).max(64),
    }),
    reply: packedRunSchema.nullable(),
  },
  /** Takes in a run whose folder came back; its own folder stays as it is. */
  'runs.takeBack': { request: z.object({ folder: place }), reply: runSummarySchema },
  'runs.openFolder': { request: runId, reply: nothing },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly reply: z.ZodType }>;

export const trainingEvents = {
  'trainer.status': trainerStatusSchema,
  'datasets.changed': z.object({ dataset: datasetSchema, removed: z.boolean() }),
  'runs.changed': z.object({ run: runSummarySchema, removed: z.boolean() }),
} as const satisfies Record<string, z.ZodType>;
