import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { PromptPart } from '../../shared/contracts/worker-protocol.ts';
import { checkJson, readJson } from '../../base/json-file.ts';
import type { TextBindModel } from '../../worker/pipelines/textbind-model.ts';
import { command } from '../options.ts';
import { evaluateRun } from './evaluate-run.ts';
import { openModelOption } from '../model-option.ts';
import { openNamer, type Namer } from '../vision-namer.ts';
import { drawingLimits, numberOption, required, type Output } from '../usage.ts';

/** A folder of held-out scenes, as `recipes.mini.export_scenes` writes it. */
const scenesSchema = z.object({
  scenes: z
    .array(z.object({ file: z.string(), caption: z.string(), mainObject: z.string() }))
    .min(1),
  drawings: z.array(z.object({ object: z.string(), phrase: z.string(), caption: z.string() })),
  backgrounds: z.array(z.string()).min(1),
});
type Scenes = z.infer<typeof scenesSchema>;

const namingQuestion = 'What is in this picture? ';
const neverAborted = new AbortController().signal;

export const evaluateCommand = command({
  usage:
    'textbind evaluate --model NAME|DIR --scenes DIR [--drawings N] [--steps N] [--limit N] [--out DIR] | --config RUN.json [--checkpoint DIR] [--mme DIR] [--mmbench FILE.tsv] [--limit N] [--json]',
  texts: [
    ...(['model', 'scenes', 'drawings', 'steps', 'limit', 'out'] as const),
    ...(['config', 'checkpoint', 'mme', 'mmbench'] as const),
  ],
  async run({ values, output }) {
    const { config, checkpoint, mme, mmbench } = values;
    if (config !== undefined) {
      return evaluateRun({ config, checkpoint, mme, mmbench, limit: values.limit }, output);
    }
    const folder = path.resolve(required(values.scenes, 'scenes'));
    const scenes = readScenes(folder);
    const drawings =
      numberOption(values.drawings, 'drawings', { min: 0, max: scenes.drawings.length }) ??
      scenes.drawings.length;
    const steps = numberOption(values.steps, 'steps', drawingLimits.steps) ?? 40;
    const limit = numberOption(values.limit, 'limit', { min: 0, max: scenes.scenes.length });
    const model = await openModelOption(required(values.model, 'model'), output);
    const naming = await evaluateNaming(model, folder, scenes.scenes.slice(0, limit), output);
    const drawing =
      model.painter === null || drawings === 0
        ? null
        : await evaluateDrawing(model, scenes, { drawings, steps, out: values.out }, output);
    output.progress('');
    output.result({ model: model.report.name, naming, drawing }, () => {
      output.line(`main object named in ${naming.right} of ${naming.of} held-out scenes`);
      if (drawing === null) return;
      const { ranked, asked, of, candidates } = drawing;
      if (ranked !== null) {
        output.line(
          `drawn object named by the vision side among ${candidates} candidates: ${ranked} of ${of}`,
        );
      }
      output.line(`drawn object named in the model's own answer: ${asked} of ${of}`);
    });
    await model.release();
  },
});

function readScenes(folder: string): Scenes {
  const file = path.join(folder, 'scenes.json');
  return checkJson(readJson(file, 'model-invalid'), scenesSchema, file, 'bad-input');
}

async function evaluateNaming(
  model: TextBindModel,
  folder: string,
  scenes: Scenes['scenes'],
  output: Output,
) {
  const wrong: { readonly object: string; readonly answer: string }[] = [];
  for (const [index, { file, mainObject }] of scenes.entries()) {
    output.progress(`scene ${index + 1} of ${scenes.length}`);
    const answer = await describe(model, path.join(folder, file));
    if (!names(answer, mainObject)) wrong.push({ object: mainObject, answer });
  }
  return { right: scenes.length - wrong.length, of: scenes.length, wrong };
}

async function evaluateDrawing(
  model: TextBindModel,
  scenes: Scenes,
  options: { readonly drawings: number; readonly steps: number; readonly out: string | undefined },
  output: Output,
) {
  const chosen = scenes.drawings.slice(0, options.drawings);
  const scratch = options.out ?? mkdtempSync(path.join(tmpdir(), 'textbind-evaluate-'));
  mkdirSync(scratch, { recursive: true });
  const namer = await openNamer(model, {
    // All candidates are asked for, however many are drawn: chance stays the same.
    phrases: scenes.drawings.map(({ phrase }) => phrase),
    backgrounds: scenes.backgrounds,
  });
  const wrong: {
    readonly object: string;
    readonly seen: string | null;
    readonly answer: string;
  }[] = [];
  let ranked = 0;
  let asked = 0;
  try {
    for (const [index, { object, caption }] of chosen.entries()) {
      output.progress(`drawing ${index + 1} of ${chosen.length}`);
      const file = path.join(scratch, `${String(index + 1).padStart(3, '0')}.png`);
      const drawing = {
        steps: options.steps,
        guidance: null,
        negative: '',
        seed: index,
        enabled: true,
      };
      const { png } = await model.draw({ caption, drawing }, () => {}, neverAborted);
      writeFileSync(file, png);
      const seen = await seenObject(namer, png, scenes);
      const answer = await describe(model, file);
      if (seen === object) ranked += 1;
      if (names(answer, object)) asked += 1;
      if (seen !== object) wrong.push({ object, seen, answer });
    }
  } finally {
    await namer?.release();
    if (options.out === undefined) rmSync(scratch, { recursive: true, force: true });
  }
  const candidates = scenes.drawings.length;
  return { ranked: namer === null ? null : ranked, asked, of: chosen.length, candidates, wrong };
}

async function seenObject(namer: Namer | null, png: Uint8Array, scenes: Scenes) {
  if (namer === null) return null;
  return scenes.drawings[await namer.best(png)]?.object ?? null;
}

/** The model's own words for a picture, greedily. */
async function describe(model: TextBindModel, file: string): Promise<string> {
  const parts: PromptPart[] = [
    { kind: 'text', text: namingQuestion },
    { kind: 'picture', path: file, caption: null },
  ];
  let answer = '';
  await model.reply(
    {
      turns: [{ role: 'user', parts }],
      sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 32, seed: 0 },
      drawing: { steps: 1, guidance: 1, negative: '', seed: 0, enabled: false },
    },
    (event) => {
      if (event.kind === 'text') answer += event.text;
    },
    neverAborted,
  );
  return answer;
}

/** Whether a text names an object as words of its own ("car" is not in "carrot"). */
function names(text: string, object: string): boolean {
  const escaped = object.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'iu').test(text);
}
