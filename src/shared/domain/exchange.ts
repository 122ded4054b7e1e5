import { z } from 'zod';

/** A conversation that is left out of an import, and why. */
export const importFaultSchema = z.object({ conversationId: z.string(), reason: z.string() });
export type ImportFault = z.infer<typeof importFaultSchema>;

const count = z.number().int().nonnegative();

/** What an import does, or did. */
export const importSummarySchema = z.object({
  file: z.string(),
  /** Conversations that are not here. */
  new: count,
  /** Conversations that are here without some of their turns or drawings, which are added beside what is here. */
  extended: count,
  /** Conversations of which all is here. */
  known: count,
  /** Turns that are added. */
  turns: count,
  /** Picture files that are added. */
  pictures: count,
  pictureBytes: count,
  /** Presets whose names are not here, which are added. */
  presets: count,
  /** Titles of the first new ones. */
  titles: z.array(z.string()),
  /** Conversations that are left out. */
  faultCount: count,
  /** The first of them. */
  faults: z.array(importFaultSchema),
});
export type ImportSummary = z.infer<typeof importSummarySchema>;

/** Forms in which conversations leave the app. `json`: records with every version; `zip`: the complete archive. */
export const exportFormats = ['md', 'html', 'pdf', 'json', 'textbind', 'zip'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What an export wrote. */
export const exportReportSchema = z.object({
  /** The file, or the folder of files. */
  path: z.string(),
  conversations: count,
  /** Turns that the format cannot hold: messages without a reply, in TextBind JSON. */
  leftOutTurns: count,
  /** Pictures whose files were not there. */
  missingPictures: count,
});
export type ExportReport = z.infer<typeof exportReportSchema>;

/** What can be imported and was looked at: nothing of it is here yet. */
export const importOfferSchema = z.object({ offerId: z.uuid(), summary: importSummarySchema });
export type ImportOffer = z.infer<typeof importOfferSchema>;

/** How far an export or an import is. */
export const exchangeProgressSchema = z.object({
  what: z.enum(['conversations', 'pictures']),
  done: count,
  total: count,
});
export type ExchangeProgress = z.infer<typeof exchangeProgressSchema>;

/** A daily copy of the database, as it is offered. */
export const databaseCopySchema = z.object({
  file: z.string(),
  /** Milliseconds since the epoch. */
  madeAt: z.number().int(),
  conversations: count,
  turns: count,
  bytes: count,
});
export type DatabaseCopy = z.infer<typeof databaseCopySchema>;
