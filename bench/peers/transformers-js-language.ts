// @huggingface/transformers on its own onnxruntime-node, with its own defaults but for the thread count.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readJsonFile } from '../../src/base/json-file.ts';
import { packageSchema } from './install-npm-peer.ts';
import { transformersJs } from './install-transformers-js.ts';
import { now, runBetween, serveLanguage } from './language-peer.ts';
import type { LanguageOpened, LanguageRun, Moment } from './language-peer.ts';
import { writeTransformersJsModel } from './transformers-js-model.ts';

/** The part of the package that is used: it is installed on demand, so its own types are not there. */
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => unknown;
  readonly AutoModelForCausalLM: {
    from_pretrained(name: string, options: Readonly<Record<string, unknown>>): Promise<Model>;
  };
}
interface Model {
  generate(options: Readonly<Record<string, unknown>>): Promise<{ tolist(): bigint[][] }>;
}

let opened: { readonly library: TransformersJs; readonly model: Model } | undefined;

async function open(folder: string, threads: number, positions: number): Promise<LanguageOpened> {
  const place = path.join(transformersJs.folder, 'node_modules', transformersJs.package);
  const models = path.join(transformersJs.folder, 'models');
  const name = path.basename(folder);
  writeTransformersJsModel(folder, path.join(models, name), positions);
  const entry = pathToFileURL(path.join(place, 'dist', 'transformers.node.mjs')).href;
  const library = (await import(entry)) as TransformersJs;
  library.env.allowRemoteModels = false;
  library.env.localModelPath = models;
  const model = await library.AutoModelForCausalLM.from_pretrained(name, {
    ...{ dtype: 'q4', device: 'cpu', local_files_only: true },
    session_options: { intraOpNumThreads: threads },
  });
  opened = { library, model };
  const { version } = readJsonFile(path.join(place, 'package.json'), packageSchema, 'storage');
  return { engine: `transformers.js ${version}` };
}

/** The prompt is read and the first token written in one step; what is written after it is timed apart. */
async function run(prompt: readonly number[], wanted: number): Promise<LanguageRun> {
  if (opened === undefined) throw new Error('no model is open');
  const { library, model } = opened;
  const fed = prompt.slice(0, -1);
  const tensor = (values: readonly number[]) =>
    new library.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const times: Moment[] = [];
  const begin = now();
  const output = await model.generate({
    ...{ input_ids: tensor(fed), attention_mask: tensor(fed.map(() => 1)) },
    ...{ max_new_tokens: wanted + 1, do_sample: false },
    // Told the prompt, then each token.
    streamer: { put: () => void times.push(now()), end: () => undefined },
  });
  const end = now();
  const [, first = end] = times;
  const tokens = (output.tolist()[0] ?? []).slice(fed.length).map(Number);
  if (tokens.length !== wanted + 1) throw new Error(`${tokens.length} of ${wanted + 1} tokens`);
  return runBetween(begin, first, end, tokens.slice(0, wanted));
}

serveLanguage(open, run);
