import { z } from 'zod';
import { cudaFactsSchema } from '../domain/cuda.ts';
import { engineFactsSchema } from '../domain/doctor.ts';
import { fitMeasureSchema } from '../domain/fit.ts';
import { openModelReportSchema } from '../domain/engine-status.ts';
import {
  drawingSchema,
  drawingSizeSchema,
  startPictureSchema,
  providerPreferenceSchema,
  samplingSchema,
} from '../domain/settings.ts';
import {
  foundPartSchema,
  importCostSchema,
  importOutcomeSchema,
  importProgressSchema,
  importSourcesSchema,
  importStorageSchema,
  modelImportSchema,
  partFaultSchema,
} from '../domain/model-import.ts';
import { pictureWishSchema, usageSchema } from '../domain/turn.ts';
import { wireErrorSchema } from '../errors.ts';
import {
  drawingProgressSchema,
  drawnPictureSchema,
  workerReplyEventSchema,
} from './reply-event.ts';

/**
 * Between main and the worker. Each name has a request, a reply, and the events that may come before the reply.
 * Pictures go to the worker as paths of files that it only reads, and come back as encoded bytes.
 */

/** A part as the model sees it. `undrawn` is a caption whose picture does not exist: it stays as words. */
export const promptPartSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('picture'), path: z.string(), caption: z.string().nullable() }),
  z.object({ kind: z.literal('undrawn'), caption: z.string() }),
]);
export type PromptPart = z.infer<typeof promptPartSchema>;

export const promptTurnSchema = z.object({
  role: z.enum(['user', 'assistant']),
  parts: z.array(promptPartSchema),
});
export type PromptTurn = z.infer<typeof promptTurnSchema>;

/** `end`: the model wrote </s>. `length`: the token limit. `cancelled`: Stop. */
export const finishReasonSchema = z.enum(['end', 'length', 'cancelled']);
export type FinishReason = z.infer<typeof finishReasonSchema>;

const nothing = z.null();

const openingSchema = z.object({
  kind: z.literal('opening'),
  part: z.string(),
  done: z.number(),
  total: z.number(),
});

export const workerRequests = {
  /** Opens a model folder (with textbind.json), closing the one before. Progress by part. */
  'model.open': {
    request: z.object({
      folder: z.string(),
      provider: providerPreferenceSchema,
      /** Main answers when the worker asks for a drawing: a large drawing part is then left to another process. */
      drawsApart: z.boolean().optional(),
    }),
    event: openingSchema,
    reply: openModelReportSchema,
  },
  /** Opens the drawing part of a model alone: the process that has it answers `draw`. */
  'drawing.open': {
    request: z.object({
      folder: z.string(),
      provider: providerPreferenceSchema,
      /** Each network is to be open only while it is used, whatever memory is free. */
      sparing: z.boolean(),
    }),
    event: openingSchema,
    /** Whether memory is spared, because it was asked for or because there is not enough. */
    reply: z.object({ sparing: z.boolean() }),
  },
  /**
   * Writes the next assistant turn. The last turn given is the user's, or, to continue a reply, the unfinished
   * assistant's, after whose last part the model goes on.
   */
  'chat.reply': {
    request: z.object({
      turns: z.array(promptTurnSchema).min(1),
      sampling: samplingSchema,
      drawing: drawingSchema,
      /** What the model is told before the conversation. */
      system: z.string().optional(),
      /** `draw`: a fresh reply begins with a picture. `words`: it has none, and no caption either. */
      wish: pictureWishSchema.optional(),
    }),
    event: workerReplyEventSchema,
    reply: z.object({ finish: finishReasonSchema, usage: usageSchema }),
  },
  /**
   * Shortens a message, in the middle of its words, until it alone leaves the model room to answer. Pictures stay.
   * Answered while a reply is written.
   */
  'prompt.shorten': {
    request: z.object({
      parts: z.array(promptPartSchema),
      maxNewTokens: z.number().int().min(1),
      system: z.string().optional(),
    }),
    event: z.never(),
    reply: z.object({ parts: z.array(promptPartSchema) }),
  },
  /**
   * How much of its context the model would need for a message behind these turns. Runs the tokenizer alone, and is
   * answered while a reply is written.
   */
  'prompt.measure': {
    request: z.object({
      turns: z.array(promptTurnSchema),
      /** May be empty still. */
      message: z.array(promptPartSchema),
      maxNewTokens: z.number().int().min(1),
      system: z.string().optional(),
    }),
    event: z.never(),
    reply: z.object({
      /** Tokens of the prompt; of the message alone where that does not fit. */
      tokens: z.number().int().nonnegative(),
      messageTokens: z.number().int().nonnegative(),
      /** Tokens that a prompt may have. */
      room: z.number().int().positive(),
      /** Index of the first turn that would be read; the number of turns where only the message is. */
      firstTurn: z.number().int().nonnegative(),
    }),
  },
  /** Draws one caption. */
  draw: {
    request: z.object({
      caption: z.string().min(1),
      drawing: drawingSchema,
      /** Left out: the model's own. */
      size: drawingSizeSchema.optional(),
      /** A picture's file that the drawing starts from. */
      from: startPictureSchema.optional(),
    }),
    event: drawingProgressSchema,
    reply: drawnPictureSchema,
  },
  /** Says what files and folders are. */
  'models.recognise': {
    request: z.object({ places: z.array(z.string()).min(1).max(1000) }),
    event: z.never(),
    reply: z.object({ found: z.array(foundPartSchema) }),
  },
  /** What an import would take on the disk. */
  'models.cost': {
    request: z.object({ sources: importSourcesSchema, storage: importStorageSchema }),
    event: z.never(),
    reply: importCostSchema,
  },
  /** Makes a model of parts, in a folder that is not there yet. What is cancelled or fails leaves nothing. */
  'models.import': {
    request: z.object({ request: modelImportSchema, out: z.string() }),
    event: importProgressSchema,
    reply: importOutcomeSchema,
  },
  /** Whether a model's parts fit together, from configurations and headers. */
  'models.check': {
    request: z.object({ folder: z.string() }),
    event: z.never(),
    reply: z.object({ warnings: z.array(z.string()), faults: z.array(partFaultSchema) }),
  },
  /** Which package has CUDA's provider, and what of it is here. */
  'models.cuda': { request: nothing, event: z.never(), reply: cudaFactsSchema },
  /** What can be used here, and what the models of these folders would take. Answered without a model open. */
  inspect: {
    request: z.object({
      folders: z.array(z.object({ folder: z.string(), embedded: z.boolean() })),
      /** Places that do not answer, and are not to be touched. */
      away: z.array(z.string()),
    }),
    event: z.never(),
    reply: engineFactsSchema,
  },
  /** Opens a model, has it speak and draw a little, and says how fast that went. For a process that does nothing else. */
  calibrate: {
    request: z.object({ folder: z.string(), provider: providerPreferenceSchema }),
    event: z.never(),
    reply: z.object({ provider: z.enum(['cuda', 'webgpu', 'cpu']), measured: fitMeasureSchema }),
  },
  /** Answers at once when nothing runs; the supervisor's way to know that the worker still listens. */
  ping: { request: nothing, event: z.never(), reply: nothing },
  /** Memory of the process and of its sessions, bytes. */
  memory: {
    request: nothing,
    event: z.never(),
    reply: z.object({ residentBytes: z.number(), sessions: z.number().int() }),
  },
} as const satisfies Record<string, WorkerRequestContract>;

interface WorkerRequestContract {
  readonly request: z.ZodType;
  readonly event: z.ZodType;
  readonly reply: z.ZodType;
}

export type WorkerRequestName = keyof typeof workerRequests;
export type WorkerRequestBody<Name extends WorkerRequestName> = z.infer<
  (typeof workerRequests)[Name]['request']
>;
export type WorkerEventBody<Name extends WorkerRequestName> = z.infer<
  (typeof workerRequests)[Name]['event']
>;
export type WorkerReplyBody<Name extends WorkerRequestName> = z.infer<
  (typeof workerRequests)[Name]['reply']
>;

const requestIdSchema = z.string().min(1).max(64);

/** Main to worker. The body is checked by the schema of its name. */
export const toWorkerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('request'),
    id: requestIdSchema,
    name: z.string(),
    body: z.unknown(),
  }),
  z.object({ type: z.literal('cancel'), id: requestIdSchema }),
  /** What comes of a drawing that the worker asked for: progress, then a picture or an error. */
  z.object({ type: z.literal('ask-event'), id: requestIdSchema, body: z.unknown() }),
  z.object({ type: z.literal('ask-reply'), id: requestIdSchema, body: z.unknown() }),
  z.object({ type: z.literal('ask-error'), id: requestIdSchema, error: wireErrorSchema }),
  /** The first rung of the kill ladder: release what is held and exit with code 0. */
  z.object({ type: z.literal('stop') }),
]);
export type ToWorker = z.infer<typeof toWorkerSchema>;

/** Worker to main. `ready` comes once, first. */
export const fromWorkerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), pid: z.number().int() }),
  z.object({ type: z.literal('event'), id: requestIdSchema, body: z.unknown() }),
  z.object({ type: z.literal('reply'), id: requestIdSchema, body: z.unknown() }),
  z.object({ type: z.literal('error'), id: requestIdSchema, error: wireErrorSchema }),
  /** A drawing that another process is to make; the body is that of `draw`. Only where the model draws apart. */
  z.object({ type: z.literal('ask'), id: requestIdSchema, body: z.unknown() }),
  z.object({ type: z.literal('ask-cancel'), id: requestIdSchema }),
]);
export type FromWorker = z.infer<typeof fromWorkerSchema>;

/** Environment variables of the worker: main sets the first, who starts the app may set the others. */
export const workerEnvironment = {
  /** Path of the log file that the worker appends to. */
  logFile: 'TEXTBIND_WORKER_LOG_FILE',
  /** Bytes of memory to count on, in place of what the system says is free. */
  memory: 'TEXTBIND_MEMORY_BYTES',
  /** Bytes that drawing takes from which on it has a process of its own. */
  drawApart: 'TEXTBIND_DRAW_APART_BYTES',
} as const;
