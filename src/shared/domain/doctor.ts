import { z } from 'zod';
import { fitEstimateSchema } from './fit.ts';

/** What is known of a machine and of what runs on it, and what is to be done about it. Bytes; milliseconds since the epoch. */

const providerName = z.enum(['cuda', 'webgpu', 'cpu']);

export const versionSchema = z.object({
  name: z.string(),
  version: z.string().nullable(),
  /** Why it cannot be used. */
  fault: z.string().nullable(),
});
export type Version = z.infer<typeof versionSchema>;

export const instructionSetSchema = z.object({
  /** As the maker calls it. */
  name: z.string(),
  /** Null where it cannot be asked here. */
  present: z.boolean().nullable(),
  /** What it is good for. */
  helps: z.string(),
});
export type InstructionSet = z.infer<typeof instructionSetSchema>;

export const graphicsSchema = z.object({
  name: z.string(),
  driver: z.string().nullable(),
  memoryBytes: z.number().nullable(),
});
export type Graphics = z.infer<typeof graphicsSchema>;

export const hardwareSchema = z.object({
  platform: z.string(),
  /** Of the system. */
  release: z.string(),
  processor: z.string(),
  threads: z.number().int().positive(),
  memoryBytes: z.number(),
  freeMemoryBytes: z.number(),
  instructions: z.array(instructionSetSchema),
  graphics: z.array(graphicsSchema),
});
export type Hardware = z.infer<typeof hardwareSchema>;

export const triedProviderSchema = z.object({
  provider: providerName,
  usable: z.boolean(),
  /** A sentence; empty where it is usable. */
  reason: z.string(),
  /** In the runtime's own words. */
  detail: z.string(),
});
export type TriedProvider = z.infer<typeof triedProviderSchema>;

/** What of a model would fit into memory: the least that has to be given up. */
export const insteadOfModelSchema = z.object({
  /** Of the language model's weights; null for as they are. */
  bits: z.union([z.literal(4), z.literal(8)]).nullable(),
  leaveOut: z.enum(['refiner', 'drawing']).nullable(),
  talkingBytes: z.number(),
  /** Null where it would not draw. */
  drawingBytes: z.number().nullable(),
});
export type InsteadOfModel = z.infer<typeof insteadOfModelSchema>;

export const modelVerdictSchema = z.object({
  name: z.string(),
  folder: z.string(),
  bytesOnDisk: z.number(),
  fits: z.boolean(),
  verdict: z.string(),
  memoryBytes: z
    .object({
      talking: z.number(),
      drawingSparing: z.number().optional(),
      drawingKept: z.number().optional(),
    })
    .optional(),
  /** Only for a model that does not fit; null where nothing of it would. */
  instead: insteadOfModelSchema.nullable().optional(),
});
export type ModelVerdict = z.infer<typeof modelVerdictSchema>;

/** What only a process that loads the engine can say. */
export const engineFactsSchema = z.object({
  libraries: z.array(versionSchema),
  providers: z.array(triedProviderSchema),
  choice: z.object({ provider: providerName, explanation: z.string() }),
  models: z.array(modelVerdictSchema),
});
export type EngineFacts = z.infer<typeof engineFactsSchema>;

export const diskSchema = z.object({
  what: z.string(),
  folder: z.string(),
  freeBytes: z.number(),
  totalBytes: z.number(),
});
export type Disk = z.infer<typeof diskSchema>;

export const trainerFactsSchema = z.object({
  state: z.enum(['ready', 'missing', 'broken']),
  python: z.string().nullable(),
  version: z.string().nullable(),
  packages: z.array(versionSchema),
  message: z.string().nullable(),
});
export type TrainerFacts = z.infer<typeof trainerFactsSchema>;

export const crashSchema = z.object({ at: z.number(), what: z.string() });
export type Crash = z.infer<typeof crashSchema>;

/** What the window can do about a finding. */
export const mendActions = [
  'restart-engine',
  'provider-auto',
  'open-logs',
  'models',
  'training',
] as const;

export const findingSchema = z.object({
  /** `bad`: something does not work. `warning`: it could be better, or soon will not. `good`: as it should be. */
  level: z.enum(['bad', 'warning', 'note', 'good']),
  message: z.string(),
  /** What to do; null where there is nothing to do. */
  mend: z.string().nullable(),
  action: z.enum(mendActions).nullable(),
});
export type Finding = z.infer<typeof findingSchema>;

export const doctorReportSchema = engineFactsSchema.extend({
  at: z.number(),
  hardware: hardwareSchema,
  disks: z.array(diskSchema),
  trainer: trainerFactsSchema,
  /** What is expected of each model here. */
  fits: z.array(fitEstimateSchema),
  crashes: z.array(crashSchema),
  findings: z.array(findingSchema),
  /** All of it as text, without what would say whose machine it is. */
  text: z.string(),
});
export type DoctorReport = z.infer<typeof doctorReportSchema>;
