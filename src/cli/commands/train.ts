import { existsSync } from 'node:fs';
import path from 'node:path';
import { trainerEventSchema, type TrainerEvent } from '../../shared/contracts/trainer-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import { command } from '../options.ts';
import { runTrainer } from '../trainer-process.ts';
import { required, UsageError, type Output } from '../usage.ts';
import { packRun, readBack } from './train-elsewhere.ts';

export const trainCommand = command({
  usage:
    'textbind train --config RUN.json [--accept-changes | --export-to DIR [--copy] [--nodes N] [--gpus N]] | --read-back DIR [--json]',
  texts: ['config', 'export-to', 'nodes', 'gpus', 'read-back'],
  flags: ['accept-changes', 'copy'],
  async run({ values, output }) {
    if (values['read-back'] !== undefined) return readBack(values['read-back'], output);
    const config = path.resolve(required(values.config, 'config'));
    if (!existsSync(config)) throw new UsageError(`--config ${config}: does not exist`);
    const { 'export-to': out, copy, nodes, gpus } = values;
    if (out !== undefined) return packRun(config, out, { copy, nodes, gpus }, output);
    let last: TrainerEvent | null = null;
    const flags = values['accept-changes'] ? ['--accept-changes'] : [];
    const exit = await runTrainer('train', ['--config', config, ...flags], {
      onLine: (line) => {
        last = readEvent(line);
        // A program reads the trainer's own lines.
        if (output.json) process.stdout.write(`${line}\n`);
        else show(last, output);
      },
    });
    if (exit.code !== 0) throw whyItEnded(last, exit);
  },
});

function readEvent(line: string): TrainerEvent {
  const parsed = trainerEventSchema.safeParse(JSON.parse(line));
  if (parsed.success) return parsed.data;
  throw new StudioError('internal', `the trainer said what it should not: ${line.slice(0, 200)}`);
}

function whyItEnded(
  last: TrainerEvent | null,
  exit: { readonly code: number; readonly errorText: string },
): Error {
  if (last?.event === 'question') return new UsageError(last.message);
  const said = exit.errorText.split('\n').at(-1) ?? '';
  if (last?.event !== 'error') {
    return new StudioError('internal', `the trainer ended with exit code ${exit.code}: ${said}`);
  }
  return exit.code === 2 ? new UsageError(last.message) : new StudioError('internal', last.message);
}

/** A line for a person. */
function show(event: TrainerEvent, output: Output): void {
  const text = lineOf(event);
  if (text !== null) output.line(text);
}

function lineOf(event: TrainerEvent): string | null {
  switch (event.event) {
    case 'checking':
      return `pictures looked through: ${event.done} of ${event.total}`;
    case 'caching':
      return `features of ${event.total} pictures will take ${(event.bytes / 1e6).toFixed(1)} MB`;
    case 'started':
      return `stage ${event.stage}, ${event.resumed ? `goes on at step ${event.step}` : 'begins'}: ${event.steps} steps, ${event.trainedParameters} parameters in training, ${event.device}, ${event.precision}, ${event.processes} process${event.processes === 1 ? '' : 'es'}`;
    case 'step':
      return `step ${event.step} of ${event.steps}: loss ${event.loss ?? 'not finite'}, ${event.tokensPerSecond} tokens/s, ${Math.round(event.etaSeconds)} s left`;
    case 'validation':
      return `validation at step ${event.step}: loss ${event.loss ?? 'not finite'}`;
    case 'prompts':
      return `asked on the way: ${event.prompts.map(({ text }) => JSON.stringify(text)).join(', ')}`;
    case 'replies':
      return repliesOf(event).join('\n');
    case 'checkpoint':
      return `saved ${event.path}`;
    case 'damaged':
      return `cannot be used: ${event.reason}`;
    case 'skipped':
      return `left out: ${event.reason}`;
    case 'stopped':
      return `stopped at step ${event.step} of ${event.steps}; the same command goes on`;
    case 'finished':
      return `finished: ${event.model}`;
    case 'question':
    case 'error':
      return null; // the command's own last line
    default:
      return event satisfies never;
  }
}

function repliesOf(event: Extract<TrainerEvent, { event: 'replies' }>): string[] {
  const { step, cutAt, replies } = event;
  const cut = cutAt === null ? '' : ` (of at most ${cutAt} tokens)`;
  return replies.map(
    ({ text }, index) => `step ${step}, reply ${index + 1}${cut}: ${JSON.stringify(text)}`,
  );
}
