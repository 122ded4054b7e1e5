import { z } from 'zod';

/** Where the local server listens unless a person says otherwise. Registered for nothing that is common. */
export const defaultServerPort = 11_500;

const port = z.number().int().min(1024).max(65_535);

/** What is kept of the local server. */
export const localServerSettingsSchema = z.object({
  /** It listens only where a person switched it on; it stays so over a restart of the app. */
  on: z.boolean().default(false),
  port: port.default(defaultServerPort),
  /** Null until it was switched on for the first time. */
  key: z.string().min(1).nullable().default(null),
});
export type LocalServerSettings = z.infer<typeof localServerSettingsSchema>;

/** What a person changes of it. */
export const localServerPatchSchema = z.object({ on: z.boolean(), port }).partial();
export type LocalServerPatch = z.infer<typeof localServerPatchSchema>;

/** The local server as it is now. */
export const localServerStatusSchema = z.object({
  state: z.enum(['off', 'starting', 'on', 'failed']),
  /** What clients are given as base URL; null while it does not listen. */
  address: z.string().nullable(),
  port: z.number().int(),
  key: z.string().nullable(),
  /** A request is being answered. */
  active: z.boolean(),
  /** Requests that wait for their turn. */
  waiting: z.number().int().nonnegative(),
  /** The window's own conversation has the engine. */
  ownFirst: z.boolean(),
  /** Why it does not listen. */
  error: z.string().nullable(),
});
export type LocalServerStatus = z.infer<typeof localServerStatusSchema>;
