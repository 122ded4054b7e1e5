/** A module of the trainer that ends with one event. */
import type { z } from 'zod';
import { trainerEventSchema } from '../shared/contracts/trainer-protocol.ts';
import { StudioError } from '../shared/errors.ts';
import { runTrainer } from './trainer-process.ts';
import { UsageError, type Output } from './usage.ts';

/**
 * Runs a module and gives the event that it ends with, and its exit code. Progress goes to standard error.
 * @throws UsageError where the trainer refuses its input
 */
export async function askModule<S extends z.ZodType>(
  module: string,
  args: readonly string[],
  schema: S,
  output: Output,
): Promise<{ readonly answer: z.output<S>; readonly code: number }> {
  let answer: z.output<S> | null = null;
  let reason = '';
  const exit = await runTrainer(module, args, {
    onLine: (line) => {
      const json: unknown = JSON.parse(line);
      const asked = schema.safeParse(json);
      if (asked.success) {
        answer = asked.data;
        return;
      }
      const event = trainerEventSchema.parse(json);
      if (event.event === 'error') reason = event.message;
      else if (event.event === 'checking') output.progress(`${event.done} of ${event.total}`);
    },
  });
  output.progress('');
  const last = reason || (exit.errorText.split('\n').at(-1) ?? '');
  if (exit.code === 2) throw new UsageError(last);
  if (answer === null) throw new StudioError('internal', `the trainer failed: ${last}`);
  return { answer, code: exit.code };
}
