/**
 * The embedded model's own weights through our graphs and through transformers and diffusers.
 * TEXTBIND_TEST_MODEL names another folder with a textbind.json.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/worker/graph/index.ts';
import { compareWeights } from '../../../src/worker/graph/index.ts';
import {
  adaptClipTextWeights,
  adaptVaeWeights,
  adaptVitWeights,
  buildClipText,
  buildQformer,
  buildUnet,
  buildVaeDecoder,
  buildVaeEncoder,
  buildVit,
  cpuTarget,
  parseClipTextConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
  qformerConfigFromSizes,
} from '../../../src/worker/networks/index.ts';
import type { Checkpoint } from '../../../src/worker/weights/index.ts';
import { openCheckpoint } from '../../../src/worker/weights/index.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { readTensors, worstError } from './golden-network.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = process.env['TEXTBIND_TEST_MODEL'] ?? join(root, 'models', 'textbind-mini');
const reason =
  noPython ??
  (existsSync(join(folder, 'textbind.json')) ? undefined : 'models/textbind-mini is missing');

interface Manifest {
  readonly visionModel: string;
  readonly qformer: string;
  readonly imageDecoder: { readonly base: string };
  readonly qformerConfig: Parameters<typeof qformerConfigFromSizes>[0];
}

interface Opened {
  readonly graph: Graph;
  readonly weights: Checkpoint;
}

const json = (...path: readonly string[]): unknown =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as unknown;

function openPart(model: string, name: string): Opened {
  const manifest = json(model, 'textbind.json') as Manifest;
  const vision = join(model, manifest.visionModel);
  const base = join(model, manifest.imageDecoder.base);
  const vitConfig = parseVitConfig(json(vision, 'config.json'));
  switch (name) {
    case 'vision':
      return {
        graph: buildVit(vitConfig, cpuTarget),
        weights: adaptVitWeights(openCheckpoint(vision)),
      };
    case 'qformer': {
      const weights = openCheckpoint(join(model, manifest.qformer));
      const [projectionSize = 0] = weights.find('qformer_projection.weight')!.shape;
      const key = 'qformer.encoder.layer.0.crossattention.attention.key.weight';
      const [, encoderHiddenSize = 0] = weights.find(key)!.shape;
      const neighbours = { encoderHiddenSize, projectionSize };
      const config = qformerConfigFromSizes(manifest.qformerConfig, neighbours);
      return { graph: buildQformer(config, cpuTarget), weights };
    }
    case 'text_encoder':
    case 'text_encoder_2': {
      const config = parseClipTextConfig(json(base, name, 'config.json'));
      const weights = adaptClipTextWeights(openCheckpoint(join(base, name)));
      return { graph: buildClipText(config, cpuTarget), weights };
    }
    case 'unet': {
      const config = parseUnetConfig(json(base, name, 'config.json'));
      return { graph: buildUnet(config, cpuTarget), weights: openCheckpoint(join(base, name)) };
    }
    default: {
      const config = parseVaeConfig(json(base, 'vae', 'config.json'));
      const build = name === 'vae_decoder' ? buildVaeDecoder : buildVaeEncoder;
      return {
        graph: build(config, cpuTarget),
        weights: adaptVaeWeights(openCheckpoint(join(base, 'vae'))),
      };
    }
  }
}

/** Changes whenever a file of the folder does. */
function stateOf(model: string): string {
  const files = readdirSync(model, { recursive: true, encoding: 'utf8' }).sort();
  const hash = createHash('sha256');
  for (const { size, mtimeMs } of files.map((file) => statSync(join(model, file)))) {
    hash.update(`${size}@${mtimeMs} `);
  }
  return hash.digest('hex').slice(0, 16);
}

const networks = {
  vision: ['last_hidden_state'],
  qformer: ['last_hidden_state', 'image_embeds'],
  text_encoder: ['hidden_states', 'pooled'],
  text_encoder_2: ['hidden_states', 'pooled'],
  unet: ['noise_pred'],
  vae_decoder: ['image'],
  vae_encoder: ['latents'],
} as const;
const names = Object.keys(networks) as (keyof typeof networks)[];

describe.skipIf(reason)(`the embedded model against the reference ${reason ?? ''}`, () => {
  const goldens = reason ? '' : runPython('model_parts.py', [folder, stateOf(folder)]);

  it.each(names)('%s', async (name) => {
    const { graph, weights } = openPart(folder, name);
    const cases = [readTensors(join(goldens, `${name}.safetensors`))];
    expect(await worstError(graph, weights, cases, networks[name])).toBeLessThan(1e-4);
  });

  it.each(['vision', 'qformer', 'text_encoder', 'text_encoder_2', 'unet'])(
    'uses every tensor of %s',
    (name) => {
      const { graph, weights } = openPart(folder, name);
      expect(compareWeights(graph, weights)).toEqual({ missing: [], unused: [] });
    },
  );
});
