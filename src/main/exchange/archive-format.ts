import { z } from 'zod';
import { pictureMediaTypes, type Picture } from '../../shared/domain/picture.ts';
import { mostPresets, presetSchema } from '../../shared/domain/settings.ts';
import { pictureExtensions } from '../pictures/names.ts';

/**
 * A complete archive is a zip file: `manifest.json`, `conversations/<id>.json` (a conversation record each), and
 * `pictures/<sha256>.<extension>`, stored as they are. Nothing else is in it.
 */
export const archiveVersion = 1;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const archiveManifestSchema = z.object({
  format: z.literal('textbind-archive'),
  version: z.number().int().positive(),
  /** Who wrote it, for people. */
  writtenBy: z.string().max(200),
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
  conversations: z.array(z.object({ id: z.uuid(), sha256: hash })),
  pictures: z.array(
    z.object({
      sha256: hash,
      mediaType: z.enum(pictureMediaTypes),
      bytes: z.number().int().min(1),
    }),
  ),
  /** Pictures that the conversations name and whose files were not there. */
  missingPictures: z.array(hash),
  /** Settings under names, of whoever wrote it; archives from before 2026-11-29 have none. */
  presets: z.array(presetSchema).max(mostPresets).default([]),
});
export type ArchiveManifest = z.infer<typeof archiveManifestSchema>;

export const manifestName = 'manifest.json';

export const conversationEntry = (id: string): string => `conversations/${id}.json`;

export const pictureEntry = (sha256: string, mediaType: Picture['mediaType']): string =>
  `pictures/${sha256}.${pictureExtensions[mediaType]}`;

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const entryName = new RegExp(
  `^(?:manifest\\.json|conversations/${uuid}\\.json|pictures/[0-9a-f]{64}\\.(?:${Object.values(pictureExtensions).join('|')}))$`,
);

/** Whether an archive may have an entry of this name. A name that leads elsewhere, or anywhere else, is none. */
export const isEntryName = (name: string): boolean => entryName.test(name);
