import { z } from 'zod';

/**
 * The events of a training run, one JSON line each on the trainer's standard output. The same in Python:
 * resources/trainer/textbind_trainer/protocol.py; a test holds the two together. Exit codes of a run: 0 finished or
 * stopped, 1 failed, 2 bad run file or data, 3 a question was asked.
 */

const count = z.number().int();
/** Null where it is no finite number. */
const figure = z.number().nullable();

/** A setting that differs from the checkpoint's; values as JSON texts. */
export const settingChangeSchema = z.strictObject({
  field: z.string(),
  was: z.string(),
  now: z.string(),
});

const time = { time: z.number() };

/** What a run is asked while it learns; pictures are small copies as `data:` addresses, `wanted` what held-back data answers. */
export const samplePromptSchema = z.strictObject({
  text: z.string(),
  pictures: z.array(z.string()),
  wanted: z.string().nullable(),
  wantedCaptions: z.array(z.string()),
});

/** An answer up to its end (`finished`), its first caption's end, or the limit. */
export const sampleReplySchema = z.strictObject({
  text: z.string(),
  captions: z.array(z.string()),
  finished: z.boolean(),
});

export const trainerEventSchema = z.discriminatedUnion('event', [
  /** Data is looked through before the run. */
  z.strictObject({ event: z.literal('checking'), ...time, done: count, total: count }),
  /** Features of the frozen encoder are kept on disk: pictures, and bytes in the end. */
  z.strictObject({
    event: z.literal('caching'),
    ...time,
    ...{ done: count, total: count, bytes: count },
  }),
  z.strictObject({
    event: z.literal('started'),
    ...time,
    ...{ stage: count, step: count, steps: count, resumed: z.boolean() },
    ...{ trainedParameters: count, device: z.string(), processes: count },
    ...{ precision: z.enum(['fp32', 'bf16']), samplesPerEpoch: count },
  }),
  /** `memoryBytes`: the most held so far, of the GPU's memory where there is one; null where nobody tells. */
  z.strictObject({
    event: z.literal('step'),
    ...time,
    ...{ step: count, steps: count, loss: figure, lr: z.number(), gradientNorm: figure },
    ...{ tokensPerSecond: z.number(), etaSeconds: z.number(), skipped: count },
    memoryBytes: count.nullable(),
  }),
  z.strictObject({
    event: z.literal('validation'),
    ...time,
    ...{ step: count, loss: figure, perplexity: figure },
  }),
  /** What `replies` from here on answer, in this order. */
  z.strictObject({
    event: z.literal('prompts'),
    ...time,
    prompts: z.array(samplePromptSchema),
  }),
  z.strictObject({
    event: z.literal('replies'),
    ...time,
    ...{ step: count, seconds: z.number() },
    /** The most tokens of a reply, where these are fewer than asked for. */
    cutAt: count.nullable().default(null),
    replies: z.array(sampleReplySchema),
  }),
  z.strictObject({ event: z.literal('checkpoint'), ...time, step: count, path: z.string() }),
  /** A checkpoint cannot be used; the one before it is tried. */
  z.strictObject({ event: z.literal('damaged'), ...time, path: z.string(), reason: z.string() }),
  z.strictObject({ event: z.literal('skipped'), ...time, reason: z.string(), count }),
  /** The run file differs from what the checkpoint was made with: ask, then start with --accept-changes. */
  z.strictObject({
    event: z.literal('question'),
    ...time,
    ...{ code: z.literal('settings-changed'), message: z.string() },
    changes: z.array(settingChangeSchema),
  }),
  z.strictObject({ event: z.literal('stopped'), ...time, step: count, steps: count }),
  z.strictObject({
    event: z.literal('finished'),
    ...time,
    ...{ step: count, model: z.string(), seconds: z.number(), skipped: count },
  }),
  z.strictObject({
    event: z.literal('error'),
    ...time,
    kind: z.enum(['config', 'data', 'checkpoint', 'diverged', 'memory', 'disk', 'internal']),
    message: z.string(),
  }),
]);
export type TrainerEvent = z.infer<typeof trainerEventSchema>;

/** What is wrong with one row of training data; rows count from 0. */
export const dataFaultSchema = z.strictObject({
  file: z.string(),
  row: count,
  field: z.string(),
  kind: z.string(),
  message: z.string(),
});
export type DataFault = z.infer<typeof dataFaultSchema>;

/** The last line of a data check. */
export const validatedEventSchema = z.strictObject({
  event: z.literal('validated'),
  ...time,
  rows: count,
  faults: z.array(dataFaultSchema),
  /** What the data was taken for, of the trainer's `FORMATS`. */
  format: z.string().optional(),
});

/** The last line of a conversion (`convert`): `path` null where faults stopped it. */
export const convertedEventSchema = z.strictObject({
  event: z.literal('converted'),
  ...time,
  ...{ path: z.string().nullable(), rows: count, skipped: count, format: z.string() },
  faults: z.array(dataFaultSchema),
});

/** The last line of `download`: what of the pictures that released data names by address is there now. */
export const downloadedEventSchema = z.strictObject({
  event: z.literal('downloaded'),
  ...time,
  ...{ pictures: count, fetched: count, kept: count, rows: count, completeRows: count },
  failed: z.array(z.strictObject({ picture: z.string(), url: z.string(), reason: z.string() })),
});

/** The last line of `elsewhere pack`: a folder for another machine is written. */
export const packedEventSchema = z.strictObject({
  event: z.literal('packed'),
  ...time,
  ...{ folder: z.string(), files: count, bytes: count, copied: z.boolean() },
});

/** The last line of `elsewhere back`: what happened to a run on another machine. */
export const returnedEventSchema = z.strictObject({
  event: z.literal('returned'),
  ...time,
  ...{ folder: z.string(), stage: count.nullable(), step: count, steps: count.nullable() },
  state: z.enum(['finished', 'stopped', 'failed', 'unfinished', 'never-started']),
  ...{ loss: figure, validationLoss: figure },
  /** Steps of the whole ones, oldest first; and folders of those that cannot be used. */
  ...{ checkpoints: z.array(count), damaged: z.array(z.string()) },
  /** The finished model's folder. */
  model: z.string().nullable(),
  message: z.string().nullable(),
});

const named = { name: z.string(), questions: count, accuracy: z.number() };

/** What a run's model can do (`evaluate`); kept as `report.json` below the run's `evaluations`. Percentages, 0 to 100. */
export const evaluationReportSchema = z.strictObject({
  ...{ step: count, stage: count, limit: count.nullable() },
  validationLoss: figure,
  /** Written captions against the true ones; `rougeL` 0 to 1. */
  captions: z.strictObject({ captions: count, exact: z.number(), rougeL: z.number() }).nullable(),
  mme: z
    .strictObject({
      subtasks: z.array(z.strictObject({ ...named, accuracyPlus: z.number(), score: z.number() })),
      ...{ perception: z.number(), cognition: z.number() },
    })
    .nullable(),
  mmbench: z
    .strictObject({
      questions: count,
      /** Null where the file has no answers. */
      accuracy: figure,
      ...{
        categories: z.array(z.strictObject(named)),
        l2Categories: z.array(z.strictObject(named)),
      },
    })
    .nullable(),
});

/** The last line of an evaluation. */
export const evaluatedEventSchema = z.strictObject({
  event: z.literal('evaluated'),
  ...time,
  ...{ folder: z.string(), report: evaluationReportSchema },
});
