import type {
  RunFile,
  RunOption,
  RunSamples,
  RunSettings,
  Stage,
} from '../../../shared/domain/training.ts';

/** What the trainer takes for a setting that is left to it: the paper's table (resources/trainer/README.md). */
export const publishedSettings: Readonly<
  Record<
    Stage,
    {
      readonly epochs: number;
      readonly batchSize: number;
      readonly microBatchSize: number;
      readonly learningRate: number;
      readonly warmupSteps: number;
      readonly maxLength: number;
    }
  >
> = {
  1: {
    epochs: 2,
    batchSize: 256,
    microBatchSize: 16,
    learningRate: 1e-4,
    warmupSteps: 2000,
    maxLength: 256,
  },
  2: {
    epochs: 3,
    batchSize: 64,
    microBatchSize: 1,
    learningRate: 1e-5,
    warmupSteps: 100,
    maxLength: 768,
  },
};

/** A first try on a few rows of one's own: short, without a warm-up that would be longer than the run. */
export function tenSteps(rows: number): Partial<RunSettings> {
  return {
    ...{ steps: 10, warmupSteps: 0, microBatchSize: 1, checkpointEvery: 10 },
    batchSize: Math.max(1, Math.min(8, rows)),
  };
}

/** What a run is asked while it learns, unless somebody chooses otherwise. */
export const defaultSamples: RunSamples = { prompts: [], heldBack: 2, maxTokens: 48 };

/** What the form begins with. */
export const defaultSettings: RunSettings = {
  steps: null,
  epochs: null,
  batchSize: null,
  microBatchSize: null,
  learningRate: null,
  warmupSteps: null,
  maxLength: null,
  seed: 0,
  precision: 'auto',
  threads: null,
  loraRank: null,
  loraBits: null,
  activationCheckpointing: false,
  optimizer: 'adam',
  reports: [],
  keepFeatures: true,
  processes: 1,
  sharding: 'none',
  offload: false,
  checkpointEvery: 100,
  keepCheckpoints: 2,
  validateEvery: 100,
  logEvery: 1,
  samples: defaultSamples,
};

/** What a run file asks; null where it asks nothing. */
export function samplesOf({ samples }: RunFile): RunSamples | null {
  if (samples === null || samples === undefined) return null;
  const { prompts = [], heldBack = 0, maxTokens = defaultSamples.maxTokens } = samples;
  return {
    ...{ heldBack, maxTokens },
    prompts: prompts.map(({ text, images = [] }) => ({ text, images })),
  };
}

/** The settings with what a proposal changes of them. */
export function takenOver(settings: RunSettings, option: RunOption): RunSettings {
  const { microBatchSize, activationCheckpointing, loraRank, loraBits, processes } = option;
  const isOffloaded = processes > 1;
  return {
    ...settings,
    ...{ microBatchSize, activationCheckpointing, loraRank, loraBits, offload: isOffloaded },
    sharding: isOffloaded ? 'fsdp' : settings.sharding,
    processes: isOffloaded ? processes : settings.processes,
  };
}

/** Whether a person may take one over: it is known to fit, and to be possible here. */
export function canTakeOver({ name, fits, needs }: RunOption): boolean {
  return name !== 'asked' && fits === true && needs === null;
}

/** What a person is advised to take: nothing where what was asked fits, else the first that does and can be done here. */
export function proposed(options: readonly RunOption[]): RunOption | null {
  if (options[0]?.fits !== false) return null;
  return options.find(canTakeOver) ?? null;
}
