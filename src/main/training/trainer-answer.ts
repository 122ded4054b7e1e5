/** A question to the trainer: a module that ends with one event. */
import type { z } from 'zod';
import { parseJson } from '../../base/json-file.ts';
import { trainerEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import {
  lastLine,
  startTrainerTask,
  type TrainerRuntime,
  type TrainerTask,
} from './trainer-process.ts';

export interface TrainerQuestion<Answer> extends TrainerTask {
  /** Rejects with StudioError: `bad-input` where the trainer refuses its input, `out-of-memory`, else `internal`. */
  readonly answer: Promise<Answer>;
}

/**
 * Runs a module and gives the event that it ends with.
 * @param onProgress told of `checking` events
 */
export function askTrainer<S extends z.ZodType>(
  runtime: TrainerRuntime,
  module: string,
  args: readonly string[],
  schema: S,
  onProgress: (done: number, total: number) => void = () => undefined,
): TrainerQuestion<z.output<S>> {
  let answer: z.output<S> | null = null;
  let refusal: StudioError | null = null;
  const task = startTrainerTask(runtime, module, args, (line) => {
    const json = parseJson(line, "the trainer's answer", 'internal');
    const asked = schema.safeParse(json);
    if (asked.success) answer = asked.data;
    const said = trainerEventSchema.safeParse(json);
    if (!said.success) return;
    if (said.data.event === 'checking') onProgress(said.data.done, said.data.total);
    if (said.data.event === 'error') refusal = refusalOf(said.data.kind, said.data.message);
  });
  const settled = task.done.then(({ code, signal, errorText }) => {
    if (answer !== null) return answer;
    if (refusal !== null) throw refusal;
    if (signal === 'SIGKILL') throw new StudioError('out-of-memory', endedBySystem);
    const words = lastLine(errorText);
    throw new StudioError('internal', `the trainer ended with code ${code}: ${words}`);
  });
  return { ...task, answer: settled };
}

const endedBySystem =
  'The process of the trainer was ended by SIGKILL; the system does this when memory runs out.';

function refusalOf(kind: string, message: string): StudioError {
  if (kind === 'memory') return new StudioError('out-of-memory', message);
  if (kind === 'config' || kind === 'data' || kind === 'checkpoint') {
    return new StudioError('bad-input', message);
  }
  return new StudioError('internal', message);
}
