import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { releaseSchema, type ReleaseTarget } from './release.ts';
import { readJson } from '../../base/json-file.ts';

/** Where this build looks for newer ones, and whose signature it takes. Written into the build (scripts/dist.mjs). */
const sourceSchema = z.object({
  /** A folder on a server; https, with a slash at its end. */
  address: z.url({ protocol: /^https?$/ }).endsWith('/'),
  /** SPKI in DER, in base64. */
  publicKey: z.string().min(1),
});

export interface UpdateSource extends z.infer<typeof sourceSchema> {
  readonly target: ReleaseTarget;
}

export interface SourcePlaces {
  /** Folder of the app's package.json: inside the archive of an installed app. */
  readonly appFolder: string;
  /** Electron's resources folder; null when run from a checkout. */
  readonly resources: string | null;
  /** The AppImage that runs; undefined where none does. */
  readonly appImage: string | undefined;
}

/** The source, or a sentence that says why there is none. */
export function readUpdateSource(places: SourcePlaces): UpdateSource | string {
  const { appFolder, resources, appImage } = places;
  if (resources === null) return 'This is a checkout: git pull brings the newest.';
  const manifest = readJson(path.join(appFolder, 'package.json'), 'internal');
  const source = sourceSchema.safeParse(Reflect.get(Object(manifest), 'updates'));
  if (!source.success) return 'This build was made without an update server.';
  const target = releaseSchema.pick({ platform: true, arch: true, kind: true }).safeParse({
    platform: process.platform,
    arch: process.arch,
    kind: kindOf(resources, appImage),
  });
  if (!target.success)
    return 'This copy was unpacked by hand, so it cannot be updated by itself. Unpack a newer one in its place.';
  return { ...source.data, target: target.data };
}

/** How this copy came onto the machine; packages say so in a file, as electron-builder's do. */
function kindOf(resources: string, appImage: string | undefined): string | null {
  if (process.platform === 'darwin') return 'zip';
  if (process.platform === 'win32') return 'exe';
  if (appImage !== undefined) return 'AppImage';
  const file = path.join(resources, 'package-type');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}
