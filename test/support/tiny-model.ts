import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runPython } from '../golden/run-python.ts';

/** A whole model of random networks, as a folder with textbind.json. */
export function makeTinyModel(changes: Readonly<Record<string, unknown>> = {}) {
  const parts = runPython('tiny_model.py', ['2']);
  const folder = mkdtempSync(path.join(tmpdir(), 'textbind-tiny-'));
  const manifest = {
    name: 'Tiny',
    licence: 'none',
    visionModel: path.join(parts, 'vision'),
    qformer: path.join(parts, 'qformer.safetensors'),
    languageModel: path.join(parts, 'language'),
    processor: folder,
    imageDecoder: { base: path.join(parts, 'image-decoder') },
    qformerConfig: JSON.parse(
      readFileSync(path.join(parts, 'qformer-config.json'), 'utf8'),
    ) as unknown,
    maxSequenceLength: 256,
    ...changes,
  };
  writeFileSync(path.join(folder, 'textbind.json'), JSON.stringify(manifest));
  const processor = { size: { height: 28, width: 28 } };
  writeFileSync(path.join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
  return { folder, remove: (): void => rmSync(folder, { recursive: true, force: true }) };
}
