import path from 'node:path';
import { app } from 'electron';
import { z } from 'zod';
import { readJsonFile } from '../base/json-file.ts';
import type { AppReplyBody } from '../shared/contracts/app-ipc.ts';
import { licenceSchema, type Licence } from '../shared/domain/licence.ts';
import type { AppPaths } from './paths.ts';

/** What the window shows of the app itself. */
export function describeApp(paths: AppPaths): AppReplyBody<'app.info'> {
  return {
    version: appVersion(),
    electron: process.versions['electron'] ?? '',
    platform: process.platform,
    dataFolder: paths.data,
    logFolder: paths.logs,
  };
}

/** Packages in the app; the build wrote them down. */
export function readLicences({ licences }: AppPaths): readonly Licence[] {
  return readJsonFile(licences, z.array(licenceSchema), 'not-found');
}

const packageSchema = z.object({ version: z.string() });

/** `app.getVersion()` is Electron's own when the app runs from a checkout by the path of a file. */
function appVersion(): string {
  try {
    const file = path.join(import.meta.dirname, '..', '..', 'package.json');
    return readJsonFile(file, packageSchema, 'internal').version;
  } catch {
    return app.getVersion();
  }
}
