import { readFileSync } from 'node:fs';
import { StudioError } from '../../shared/errors.ts';

/** @throws StudioError `model-invalid` naming the file */
export function readJsonFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new StudioError('model-invalid', `${file}: cannot be read`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StudioError('model-invalid', `${file}: is not JSON`, { cause: error });
  }
}
