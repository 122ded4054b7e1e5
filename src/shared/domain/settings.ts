import { z } from 'zod';
import { languageChoices } from '../texts/language.ts';

/** How tokens are chosen. Temperature 0 is greedy. */
export const samplingSchema = z.object({
  temperature: z.number().min(0).max(2).default(0),
  /** 0 switches it off. */
  topK: z.number().int().min(0).max(1000).default(0),
  topP: z.number().gt(0).max(1).default(1),
  maxNewTokens: z.number().int().min(1).max(4096).default(256),
  /** Null: a fresh seed for each reply. */
  seed: z.number().int().nonnegative().max(0xffff_ffff).nullable().default(null),
});
export type Sampling = z.infer<typeof samplingSchema>;

/** Size of a drawing, pixels; the model says which it can draw. */
export const drawingSizeSchema = z.object({
  width: z.number().int().min(8).max(4096),
  height: z.number().int().min(8).max(4096),
});
export type DrawingSize = z.infer<typeof drawingSizeSchema>;

/** The share of the steps that a drawing goes through from the picture it starts from. */
const startStrengthSchema = z.number().gt(0).max(1);
/** A picture's file that a drawing starts from. */
export const startPictureSchema = z.object({
  path: z.string().min(1),
  strength: startStrengthSchema,
});

/** How pictures are drawn (`textbind.md`, section 4: 40 steps). */
export const drawingSchema = z.object({
  steps: z.number().int().min(1).max(150).default(40),
  /** Null: what suits the model, as its textbind.json says. */
  guidance: z.number().min(1).max(30).nullable().default(null),
  negative: z.string().max(2000).default(''),
  /** Null: a fresh seed for each picture. */
  seed: z.number().int().nonnegative().max(0xffff_ffff).nullable().default(null),
  /** Switched off, captions stay undrawn. */
  enabled: z.boolean().default(true),
  /** Left out: the model's own. */
  size: drawingSizeSchema.optional(),
  /** Drawings of a reply start from the conversation's last picture, at this strength; left out: from noise. */
  startStrength: startStrengthSchema.optional(),
});

export type DrawingSettings = z.infer<typeof drawingSchema>;

export const providerPreferenceSchema = z.enum(['auto', 'cuda', 'webgpu', 'cpu']);
export type ProviderPreference = z.infer<typeof providerPreferenceSchema>;

export const listWidths = { least: 200, usual: 280, most: 520 } as const;

/** What a model is told before the conversation, most characters. */
export const mostSystemCharacters = 8_000;

/** Settings under a name, to be taken over into a conversation. */
export const presetSchema = z.object({
  id: z.uuid(),
  name: z.string().trim().min(1).max(60),
  system: z.string().max(mostSystemCharacters),
  sampling: samplingSchema,
  drawing: drawingSchema,
});
export type Preset = z.infer<typeof presetSchema>;
export const mostPresets = 50;

/** Where models are fetched from. */
export const networkSchema = z.object({
  /** A hub of Hugging Face's kind: its own, or a mirror. https, or http on this machine. */
  hub: z
    .url({ protocol: /^https?$/ })
    .transform((address) => address.replace(/\/+$/, ''))
    .default('https://huggingface.co'),
  /** An HTTP proxy; null for none. */
  proxy: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null),
});
export type NetworkSettings = z.infer<typeof networkSchema>;

export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** Of the window, the menu and the dialogs. The command line is in English. */
  language: z.enum(languageChoices).default('system'),
  /** Folder name or path of the chosen model; null: the embedded one. */
  modelFolder: z.string().nullable().default(null),
  provider: providerPreferenceSchema.default('auto'),
  sampling: samplingSchema.prefault({}),
  drawing: drawingSchema.prefault({}),
  network: networkSchema.prefault({}),
  listCollapsed: z.boolean().default(false),
  /** Width of the list of conversations, CSS pixels. */
  listWidth: z.number().int().min(listWidths.least).max(listWidths.most).default(listWidths.usual),
  /** The conversation that was open last; null: a new one. */
  lastConversation: z.uuid().nullable().default(null),
  presets: z.array(presetSchema).max(mostPresets).default([]),
  /** Asks the update server now and then. Off until a person allows it. */
  lookForUpdates: z.boolean().default(false),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Whole groups are replaced; what is left out stays. Nothing is filled with a default here. */
export const settingsPatchSchema = z
  .object({
    theme: z.enum(['system', 'light', 'dark']),
    language: z.enum(languageChoices),
    modelFolder: z.string().nullable(),
    provider: providerPreferenceSchema,
    sampling: samplingSchema,
    drawing: drawingSchema,
    network: networkSchema,
    listCollapsed: z.boolean(),
    listWidth: z.number().int().min(listWidths.least).max(listWidths.most),
    lastConversation: z.uuid().nullable(),
    presets: z.array(presetSchema).max(mostPresets),
    lookForUpdates: z.boolean(),
  })
  .partial();
export type SettingsPatch = z.infer<typeof settingsPatchSchema>;
