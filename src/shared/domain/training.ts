import { z } from 'zod';
import {
  dataFaultSchema,
  samplePromptSchema,
  sampleReplySchema,
  settingChangeSchema,
} from '../contracts/trainer-protocol.ts';

/** Runs, data sets and the trainer's environment, as main and the window speak of them. Times: milliseconds since the epoch. */

const count = z.number().int().nonnegative();
const stage = z.union([z.literal(1), z.literal(2)]);
export type Stage = z.infer<typeof stage>;

/**
 * What a run is doing.
 * - `ready`: it has not been started yet.
 * - `starting`, `checking`, `caching`, `running`, `stopping`: its process lives.
 * - `stopped`: told to, and saved. `asking`: it waits for an answer. `failed`: it said why.
 * - `interrupted`: its process is gone without a word (killed, power lost); it goes on from its last checkpoint.
 */
export const runStateSchema = z.enum([
  'ready',
  'starting',
  'checking',
  'caching',
  'running',
  'stopping',
  'stopped',
  'asking',
  'failed',
  'interrupted',
  'finished',
]);
export type RunState = z.infer<typeof runStateSchema>;

/** Whether a process of the run is there. */
export function isLive(state: RunState): boolean {
  return ['starting', 'checking', 'caching', 'running', 'stopping'].includes(state);
}

export const runTroubleKinds = [
  'config',
  'data',
  'checkpoint',
  'diverged',
  'memory',
  'disk',
  'internal',
  'killed',
] as const;

/** Why a run ended before its end, and what to do about it. */
export const runTroubleSchema = z.object({
  kind: z.enum(runTroubleKinds),
  message: z.string(),
  remedy: z.string(),
});
export type RunTrouble = z.infer<typeof runTroubleSchema>;

export const runQuestionSchema = z.object({
  message: z.string(),
  changes: z.array(settingChangeSchema),
});

/** A run as the list shows it. */
export const runSummarySchema = z.object({
  id: z.uuid(),
  name: z.string(),
  stage,
  state: runStateSchema,
  createdAt: z.number(),
  /** When its process was last started; null for never. */
  startedAt: z.number().nullable(),
  /** When the last event was written. */
  heardAt: z.number().nullable(),
  step: count,
  /** Steps in all; null until the trainer has counted its data. */
  steps: count.nullable(),
  loss: z.number().nullable(),
  validationLoss: z.number().nullable(),
  etaSeconds: z.number().nullable(),
  /** Of looking through data, or of keeping features. */
  progress: z.object({ done: count, total: count }).nullable(),
  skippedRows: count,
  trouble: runTroubleSchema.nullable(),
  question: runQuestionSchema.nullable(),
  device: z.string().nullable(),
  processes: count.nullable(),
  /** The chat's model is closed while it is under way, so that its memory is free. */
  restsEngine: z.boolean(),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

export const runCheckpointSchema = z.object({
  step: count,
  savedAt: z.number(),
  bytes: count,
});
export type RunCheckpoint = z.infer<typeof runCheckpointSchema>;

/** The run file, as `textbind train --config` takes it; resources/trainer/textbind_trainer/config.py checks it in full. */
export const runFileSchema = z.looseObject({
  stage,
  model: z.looseObject({}),
  data: z.looseObject({}),
  output: z.string(),
  steps: count.nullish(),
  epochs: z.number().positive().nullish(),
  batchSize: count.nullish(),
  microBatchSize: count.nullish(),
  learningRate: z.number().positive().nullish(),
  warmupSteps: count.nullish(),
  maxLength: count.nullish(),
  samples: z
    .looseObject({
      prompts: z.array(z.looseObject({ text: z.string(), images: z.array(z.string()).optional() })),
      heldBack: count.optional(),
      maxTokens: count.optional(),
    })
    .partial()
    .nullish(),
});
export type RunFile = z.infer<typeof runFileSchema>;

/** A run with all that its own page shows but the curves. */
export const runDetailSchema = z.object({
  summary: runSummarySchema,
  file: runFileSchema,
  /** Oldest first. */
  checkpoints: z.array(runCheckpointSchema),
  /** The end of what the trainer said beside its events. */
  log: z.string(),
  folder: z.string(),
  /** Names of models that were made of it, newest last. */
  published: z.array(z.string()),
});
export type RunDetail = z.infer<typeof runDetailSchema>;

const column = z.array(z.number().nullable());
/** A run's curves as columns of one length, thinned to what a screen can show. */
export const runHistorySchema = z.object({
  steps: z.array(count),
  loss: column,
  learningRate: column,
  gradientNorm: column,
  tokensPerSecond: column,
  memoryBytes: column,
  validationSteps: z.array(count),
  validationLoss: column,
  /** How many points there are in truth. */
  points: count,
  /** How often it was asked its prompts: grows with what `runs.replies` gives. */
  asked: count,
});
export type RunHistory = z.infer<typeof runHistorySchema>;

/** What a run was asked while it learnt, and what it answered after which step, oldest first. */
export const runRepliesSchema = z.array(
  samplePromptSchema.extend({
    replies: z.array(sampleReplySchema.extend({ step: count, cutAt: count.nullable() })),
  }),
);
export type RunReplies = z.infer<typeof runRepliesSchema>;

/** What a run is to be asked while it learns. */
export const runSamplesSchema = z.object({
  /** Messages; pictures are files, and stand as `<image>` in the text or in front of it. */
  prompts: z
    .array(
      z.object({
        text: z.string().trim().min(1).max(4000),
        images: z.array(z.string().min(1).max(4096)).max(8),
      }),
    )
    .max(8),
  /** The first messages of so many rows of the validation data. */
  heldBack: z.number().int().min(0).max(8),
  /** Of a reply. */
  maxTokens: z.number().int().min(1).max(512),
});
export type RunSamples = z.infer<typeof runSamplesSchema>;

/** Where the weights come from that a run begins with. */
export const modelSourceSchema = z.discriminatedUnion('kind', [
  /** A model in the app. `fresh`: its Q-Former begins anew, at random. */
  z.object({ kind: z.literal('model'), folder: z.string().min(1), fresh: z.boolean() }),
  /** A checkpoint of the reference (`.pt`) or a folder of ours, laid over a model's parts. */
  z.object({
    kind: z.literal('checkpoint'),
    folder: z.string().min(1),
    checkpoint: z.string().min(1),
  }),
  /** Hugging Face folders, one by one. `qformer` null: the Q-Former begins anew. */
  z.object({
    kind: z.literal('parts'),
    visionModel: z.string().min(1),
    processor: z.string().min(1),
    languageModel: z.string().min(1),
    qformer: z.string().min(1).nullable(),
  }),
]);
export type ModelSource = z.infer<typeof modelSourceSchema>;

/** The trainer's own names for them. */
export const optimizers = ['adam', 'adam8bit', 'pagedAdam', 'pagedAdam8bit'] as const;

/** What the wizard asks for; what is null the trainer decides, by the paper's table. */
export const runSettingsSchema = z.object({
  steps: z.number().int().min(1).max(100_000_000).nullable(),
  epochs: z.number().positive().max(10_000).nullable(),
  batchSize: z.number().int().min(1).max(65_536).nullable(),
  microBatchSize: z.number().int().min(1).max(65_536).nullable(),
  learningRate: z.number().positive().max(1).nullable(),
  warmupSteps: z.number().int().min(0).max(1_000_000).nullable(),
  maxLength: z.number().int().min(64).max(131_072).nullable(),
  seed: z.number().int().min(0).max(0xffff_ffff),
  precision: z.enum(['auto', 'fp32', 'bf16']),
  threads: z.number().int().min(1).max(1024).nullable(),
  /** Rank of the adapters; null trains the language model whole. Stage 2. */
  loraRank: z.number().int().min(1).max(1024).nullable(),
  /** Of the frozen matrices beneath adapters (QLoRA); null keeps them whole. */
  loraBits: z.literal(4).nullable(),
  activationCheckpointing: z.boolean(),
  /** Adam's states whole, in eight bits, or in the machine's memory where the GPU's is full. */
  optimizer: z.enum(optimizers),
  /** Figures for other programs, beside ours. */
  reports: z.array(z.enum(['tensorboard', 'wandb'])).max(2),
  /** Keep the frozen encoder's features on disk. */
  keepFeatures: z.boolean(),
  /** GPUs to use at once, or processes on a processor. */
  processes: z.number().int().min(1).max(64),
  sharding: z.enum(['none', 'fsdp']),
  /** Shards are kept in the machine's memory, not the GPUs'. */
  offload: z.boolean(),
  checkpointEvery: z.number().int().min(1).max(1_000_000),
  keepCheckpoints: z.number().int().min(1).max(1000),
  validateEvery: z.number().int().min(1).max(1_000_000),
  logEvery: z.number().int().min(1).max(100_000),
  /** Null: it is asked nothing. */
  samples: runSamplesSchema.nullable(),
});
export type RunSettings = z.infer<typeof runSettingsSchema>;

/** Everything that a run is made of. */
export const runPlanSchema = z.object({
  name: z.string().trim().min(1).max(120),
  stage,
  source: modelSourceSchema,
  datasetId: z.uuid(),
  /** Data to check against, held back from training; null for none. */
  validationId: z.uuid().nullable(),
  /** Other data that is mixed in. `weight`: how often an epoch passes it; the first is passed once. */
  blend: z.array(z.object({ datasetId: z.uuid(), weight: z.number().min(0.01).max(1000) })).max(50),
  restsEngine: z.boolean(),
  settings: runSettingsSchema,
});
export type RunPlan = z.infer<typeof runPlanSchema>;

/** Settings that may be changed before a run goes on. */
export const runChangeSchema = runSettingsSchema
  .pick({
    steps: true,
    epochs: true,
    batchSize: true,
    microBatchSize: true,
    learningRate: true,
    warmupSteps: true,
    keepCheckpoints: true,
    activationCheckpointing: true,
    samples: true,
  })
  .extend({
    /** Of stage 2: leave rows with faults out instead of refusing to start. */
    skipBadRows: z.literal(true),
  })
  .partial();
export type RunChange = z.infer<typeof runChangeSchema>;

/** A setting that a run could have, and what it takes; the first is what was asked for. */
export const runOptionSchema = z.object({
  name: z.enum([
    ...(['asked', 'micro', 'checkpointing', 'lora', 'loraCheckpointing', 'qlora'] as const),
    'offload',
  ]),
  microBatchSize: z.number().int().min(1),
  activationCheckpointing: z.boolean(),
  loraRank: z.number().int().min(1).nullable(),
  loraBits: z.literal(4).nullable(),
  /** That share everything out, kept on the processor's side; 1: no sharing. */
  processes: z.number().int().min(1),
  memoryBytes: count,
  /** Whether `memoryBytes` is what real steps took, not an estimate. */
  isMeasured: z.boolean(),
  /** Into what is free; null where nobody tells what is. */
  fits: z.boolean().nullable(),
  hours: z.number().nullable(),
  /** What this machine lacks for it: an NVIDIA GPU, several of them, or the package. */
  needs: z.enum(['cuda', 'gpus', 'bitsandbytes']).nullable(),
});
export type RunOption = z.infer<typeof runOptionSchema>;

/** What a few real steps showed; what was not tried, since it cannot fit, is null. */
export const preflightSchema = z.object({
  device: z.string(),
  precision: z.enum(['fp32', 'bf16']),
  steps: count.nullable(),
  secondsPerStep: z.number().nullable(),
  /** The most held in these steps, what the device has and what of it was free; null where nobody tells. */
  memoryBytes: count.nullable(),
  memoryTotal: count.nullable(),
  memoryFree: count.nullable(),
  /** Tokens of the longest sample that was seen. */
  longest: count,
  options: z.array(runOptionSchema),
  /** Of one checkpoint, about. */
  checkpointBytes: count,
  trainedParameters: count,
  hours: z.number().nullable(),
});
export type Preflight = z.infer<typeof preflightSchema>;

/** A folder that was written for another machine. */
export const packedRunSchema = z.object({
  folder: z.string(),
  /** Files of data and model that it names. */
  files: count,
  bytes: count,
  /** Whether they are in it. */
  copied: z.boolean(),
});
export type PackedRun = z.infer<typeof packedRunSchema>;

/** The Python that trains. */
export const trainerStatusSchema = z.object({
  /** `missing`: none is set up. `working`: see `progress`. `broken`: it was, see `message`. */
  state: z.enum(['missing', 'working', 'ready', 'broken']),
  /** The interpreter. */
  python: z.string().nullable(),
  /** Whether the app made it: then it can be repaired and removed. */
  isOwn: z.boolean(),
  /** Versions and devices, as the verification found them. */
  found: z
    .object({
      python: z.string(),
      torch: z.string(),
      device: z.string(),
      gpus: z.array(z.object({ name: z.string(), totalBytes: count, freeBytes: count })),
      /** Of the one step with which it was verified. */
      seconds: z.number(),
      /** Packages of the trainer that are not there, though the step could do without. */
      lacks: z.array(z.string()).default([]),
    })
    .nullable(),
  /** What went wrong, and what to do. */
  message: z.string().nullable(),
  progress: z
    .object({
      words: z.string(),
      /** 0 to 1; null where nobody knows. */
      fraction: z.number().min(0).max(1).nullable(),
    })
    .nullable(),
  /** Interpreters of this machine that an environment could be made from. */
  candidates: z.array(z.object({ python: z.string(), version: z.string() })),
});
export type TrainerStatus = z.infer<typeof trainerStatusSchema>;

/** What a data set holds, as counted by the trainer. */
export const dataStatisticsSchema = z.object({
  rows: count,
  pictures: count,
  /** Turns by role. */
  roles: z.record(z.string(), count),
  /** Characters of a row's words. */
  shortest: count,
  median: count,
  longest: count,
});

export const datasetSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  stage,
  /** The file or folder; it stays where it is, unless the app made it. */
  path: z.string(),
  images: z.string().nullable(),
  createdAt: z.number(),
  /** Made by the app, in its own folder. */
  isOwn: z.boolean(),
  /** Rows with faults are left out of runs. */
  skipsBadRows: z.boolean(),
  /** Null while it was never looked through. */
  checked: z
    .object({
      at: z.number(),
      rows: count,
      /** The first of them. */
      faults: z.array(dataFaultSchema),
      faultCount: count,
      badRows: count,
      statistics: dataStatisticsSchema.nullable(),
    })
    .nullable(),
  /** What is being done with it. */
  working: z.string().nullable(),
  /** Why it could not be looked through. */
  fault: z.string().nullable(),
});
export type Dataset = z.infer<typeof datasetSchema>;

/** A stretch of a sample as the model sees it. */
export const samplePieceSchema = z.object({
  /** 0: the dialogue; n: the caption of its n-th drawn picture, which sees only what stands before that picture. */
  block: count,
  text: z.string(),
  kind: z.enum(['text', 'special', 'picture']),
  /** Whether the model is scored on it. */
  label: z.boolean(),
  tokens: count,
});

export const dataSampleSchema = z.object({
  row: count,
  pieces: z.array(samplePieceSchema),
  /** Small copies of the pictures, in order, as `data:` addresses; null where one cannot be read. */
  pictures: z.array(z.string().nullable()),
  tokens: count,
  scored: count,
  /** Whether its end was cut off at the length limit. */
  isCut: z.boolean(),
  fault: z.string().nullable(),
});
export type DataSample = z.infer<typeof dataSampleSchema>;
