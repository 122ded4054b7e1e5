import path from 'node:path';
import { validatedEventSchema, type DataFault } from '../../shared/contracts/trainer-protocol.ts';
import { command } from '../options.ts';
import { askModule } from '../trainer-answer.ts';
import { onlyWord, UsageError, type Output } from '../usage.ts';

export const validateDataCommand = command({
  usage: 'textbind validate-data --stage 1|2 PATH [--images DIR] [--format F] [--json]',
  texts: ['stage', 'images', 'format'],
  positionals: true,
  async run({ values, positionals, output }) {
    const call = dataArguments(values, positionals);
    const { answer, code } = await askModule('validate', call, validatedEventSchema, output);
    const { rows, faults, format } = answer;
    output.result({ rows, faults, format }, () => {
      showFaults(faults, output);
      output.line(`${rows} rows, ${faults.length} faults`);
    });
    return code;
  },
});

/** Which data, as every module of the trainer takes it. @throws UsageError where stage or path are missing */
export function dataArguments(
  values: {
    readonly stage: string | undefined;
    readonly images: string | undefined;
    readonly format: string | undefined;
  },
  positionals: readonly string[],
): string[] {
  const place = onlyWord(positionals, 'PATH');
  if (values.stage !== '1' && values.stage !== '2') {
    throw new UsageError(`--stage ${values.stage ?? '(missing)'}: expected 1 or 2`);
  }
  const images = values.images === undefined ? [] : ['--images', path.resolve(values.images)];
  const format = values.format === undefined ? [] : ['--format', values.format];
  return ['--stage', values.stage, ...images, ...format, path.resolve(place)];
}

/** A line a fault. */
export function showFaults(faults: readonly DataFault[], output: Output): void {
  for (const { file, row, field, kind, message } of faults) {
    output.line(`${file}, row ${row}, ${field} (${kind}): ${message}`);
  }
}
