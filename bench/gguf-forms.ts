import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { replaceFolderSync } from '../src/base/whole-file.ts';
import { venvPython } from '../scripts/setup/python.mjs';
import { cacheDir, root, run } from '../scripts/setup/steps.mjs';
import { PeerMissing } from './peers/peer-process.ts';

/** The forms that llama.cpp is measured on: the one of the wheel's file first, the others are made of that. */
export const ggufForms = ['Q4_1', 'Q4_0', 'Q8_0'] as const;
export type GgufForm = (typeof ggufForms)[number];
export type MadeForm = Exclude<GgufForm, 'Q4_1'>;

const program = path.join(import.meta.dirname, 'peers', 'gguf_form.py');

/**
 * How a form is called in the results. Q4_1 is plain `llama.cpp`, as it was while it was the only one: programs that
 * read the results find it by that.
 */
export function peerOf(form: GgufForm): string {
  return form === 'Q4_1' ? 'llama.cpp' : headingOf(form);
}

/** How a form is called before people. */
export function headingOf(form: GgufForm): string {
  return `llama.cpp ${form}`;
}

/** The version of the `gguf` package that the trainer's environment has. */
export function pinnedGguf(requirements: string): string {
  const version = /^gguf==([\w.]+)\s*$/m.exec(requirements)?.[1];
  if (version === undefined) throw new Error('requirements.txt pins no gguf');
  return version;
}

function wantedVersion(): string {
  const file = path.join(root, 'resources', 'trainer', 'requirements.txt');
  return pinnedGguf(readFileSync(file, 'utf8'));
}

/**
 * Writes a form of a Q4_1 file.
 * @throws PeerMissing where there is no Python for it, or it fails
 */
export async function makeForm(source: string, target: string, form: MadeForm): Promise<void> {
  const setUp = 'npm test -- --only trainer sets it up';
  if (!existsSync(venvPython)) {
    throw new PeerMissing(`.venv, whose gguf package makes the file, is not there: ${setUp}`);
  }
  const args = [program, source, target, form, wantedVersion()];
  const { code, tail } = await run(venvPython, args, { quiet: true });
  if (code === 0) return;
  throw new PeerMissing(`the file could not be made (${setUp}): ${tail.split('\n').slice(-1)[0]}`);
}

/** Made of another file, by another program or by another version, it would be another file. */
function stampOf(source: string): string {
  const hash = createHash('sha256');
  for (const file of [source, program]) hash.update(readFileSync(file));
  return hash.update(wantedVersion()).digest('hex');
}

/**
 * A GGUF file of this form; made once, kept beside our own blocks.
 * @throws PeerMissing where it cannot be made
 */
export async function ggufOfForm(
  source: string,
  form: GgufForm,
  say: (line: string) => void,
): Promise<string> {
  if (form === 'Q4_1') return source;
  const folder = path.join(cacheDir, 'bench', `smollm2-135m-${form.toLowerCase()}`);
  const file = path.join(folder, 'model.gguf');
  const stampFile = path.join(folder, 'source.sha256');
  const stamp = stampOf(source);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return file;
  say(`writing the weights as ${form} for llama.cpp`);
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  await makeForm(source, path.join(part, path.basename(file)), form);
  writeFileSync(path.join(part, path.basename(stampFile)), stamp);
  replaceFolderSync(folder, part);
  return file;
}

/** `Q4_1 98.4 MB, Q4_0 85.1 MB` */
export function describeForms(files: ReadonlyMap<GgufForm, string>): string {
  return [...files]
    .map(([form, file]) => `${form} ${(statSync(file).size / 1e6).toFixed(1)} MB`)
    .join(', ');
}
