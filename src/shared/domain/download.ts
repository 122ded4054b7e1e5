import { z } from 'zod';
import { licenceTermsSchema, partRoleSchema } from './catalogue.ts';

/** What a hub said of something of the catalogue, with all that a person should know before they say yes. */
export const downloadOfferSchema = z.object({
  offerId: z.uuid(),
  entryId: z.string(),
  name: z.string(),
  /** Who is asked for the bytes. */
  host: z.string(),
  parts: z.array(
    z.object({
      partId: z.string(),
      role: partRoleSchema,
      name: z.string(),
      repository: z.string(),
      commit: z.string(),
      files: z.number().int().nonnegative(),
      bytes: z.number().int().nonnegative(),
      /** It is on this disk already, whole. */
      isHere: z.boolean(),
      licence: licenceTermsSchema,
      /** The licence as the hub has it now, where that is another word than the catalogue's. */
      hubLicence: z.string().nullable(),
      gated: z.boolean(),
    }),
  ),
  /** What is to be fetched. */
  bytes: z.number().int().nonnegative(),
  freeBytes: z.number().int().nonnegative(),
  /** What is to stay free. */
  reserveBytes: z.number().int().nonnegative(),
  /** Something is gated, and no token is known. */
  needsToken: z.boolean(),
});
export type DownloadOffer = z.infer<typeof downloadOfferSchema>;

/** Whether a model uses what was fetched as it is, or a copy with a smaller language model is made of it. */
export const downloadStorageSchema = z.enum(['refer', 'int8', 'int4']);
export type DownloadStorage = z.infer<typeof downloadStorageSchema>;

export const downloadStates = [
  /** Another comes first. */
  'queued',
  'fetching',
  /** Everything came; it is compared with what the hub says of it. */
  'checking',
  /** The parts are put together and looked at. */
  'building',
  /** The network is away or the hub is busy: it is tried again by itself. */
  'waiting',
  'paused',
  /** It needs somebody: `reason` says for what. Going on begins where it stopped. */
  'stopped',
  'done',
] as const;
export const downloadStateSchema = z.enum(downloadStates);
export type DownloadState = z.infer<typeof downloadStateSchema>;

/** What a hub that refuses wants: a token of an account, or that this account accepts the terms on a part's page. */
export const downloadWantSchema = z.object({
  kind: z.enum(['token', 'terms']),
  page: z.url({ protocol: /^https?$/ }),
});
export type DownloadWant = z.infer<typeof downloadWantSchema>;

export const downloadStatusSchema = z.object({
  downloadId: z.uuid(),
  entryId: z.string(),
  name: z.string(),
  host: z.string(),
  state: downloadStateSchema,
  reason: z.string().nullable(),
  wants: downloadWantSchema.nullable(),
  bytes: z.number().int().nonnegative(),
  received: z.number().int().nonnegative(),
  /** What is fetched or checked right now. */
  file: z.string().nullable(),
  bytesPerSecond: z.number().nonnegative().nullable(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Until it is tried again. */
  retryInMs: z.number().int().nonnegative().nullable(),
  /** The model's folder, once it is one. */
  modelFolder: z.string().nullable(),
});
export type DownloadStatus = z.infer<typeof downloadStatusSchema>;

export const hubStatusSchema = z.object({
  /** Whether a token is known. */
  hasToken: z.boolean(),
  /** `system`: in the desktop's keychain. `session`: until the app closes, because there is no keychain to keep it in. */
  tokenKept: z.enum(['system', 'session']),
});
export type HubStatus = z.infer<typeof hubStatusSchema>;
