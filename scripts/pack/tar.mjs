// The app as an archive for every Linux: unpacked anywhere, it runs from its folder.
import path from 'node:path';
import { run, SetupError } from '../setup/steps.mjs';

/**
 * @param {{ unpacked: string, output: string, version: string }} of folder of the unpacked app, folder for the archive
 * @returns {Promise<string>} the archive's path
 */
export async function buildTar({ unpacked, output, version }) {
  const name = `textbind-studio-${version}-${process.platform}-${process.arch}`;
  const file = path.join(output, `${name}.tar.gz`);
  const { code, tail } = await run(
    'tar',
    [
      '--create',
      // Half of it is weights, which do not get smaller: the best compression takes a minute and saves a twentieth.
      '--use-compress-program=gzip -1',
      `--file=${file}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--sort=name',
      `--transform=s,^${path.basename(unpacked)},${name},`,
      `--directory=${path.dirname(unpacked)}`,
      path.basename(unpacked),
    ],
    { quiet: true },
  );
  if (code !== 0) throw new SetupError(`tar ended with code ${code}: ${tail}`, 'Read above.');
  return file;
}
