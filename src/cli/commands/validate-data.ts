import path from 'node:path';
import {
  trainerEventSchema,
  validatedEventSchema,
  type DataFault,
} from '../../shared/contracts/trainer-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import { readOptions } from '../options.ts';
import { runTrainer } from '../trainer-process.ts';
import { UsageError } from '../usage.ts';

export const validateDataCommand = {
  usage: 'textbind validate-data --stage 1|2 PATH [--images DIR] [--json]',
  async run(args: readonly string[]): Promise<number> {
    const { values, positionals, output } = readOptions(args, {
      texts: ['stage', 'images'],
      positionals: true,
    });
    const [place, ...more] = positionals;
    if (place === undefined || more.length > 0) throw new UsageError('one PATH must be given');
    if (values.stage !== '1' && values.stage !== '2') {
      throw new UsageError(`--stage ${values.stage ?? '(missing)'}: expected 1 or 2`);
    }
    const images = values.images === undefined ? [] : ['--images', path.resolve(values.images)];
    const call = ['--stage', values.stage, ...images, path.resolve(place)];
    let result: { readonly rows: number; readonly faults: readonly DataFault[] } | null = null;
    let reason = '';
    const exit = await runTrainer('validate', call, {
      onLine: (line) => {
        const json: unknown = JSON.parse(line);
        const validated = validatedEventSchema.safeParse(json);
        if (validated.success) {
          result = { rows: validated.data.rows, faults: validated.data.faults };
          return;
        }
        const event = trainerEventSchema.parse(json);
        if (event.event === 'error') reason = event.message;
        else if (event.event === 'checking') output.progress(`${event.done} of ${event.total}`);
      },
    });
    output.progress('');
    if (exit.code === 2) throw new UsageError(reason || lastLine(exit.errorText));
    if (result === null) {
      throw new StudioError('internal', `the data check failed: ${lastLine(exit.errorText)}`);
    }
    const { rows, faults }: { rows: number; faults: readonly DataFault[] } = result;
    output.result({ rows, faults }, () => {
      for (const { file, row, field, kind, message } of faults) {
        output.line(`${file}, row ${row}, ${field} (${kind}): ${message}`);
      }
      output.line(`${rows} rows, ${faults.length} faults`);
    });
    return exit.code;
  },
};

function lastLine(text: string): string {
  return text.split('\n').at(-1) ?? '';
}
