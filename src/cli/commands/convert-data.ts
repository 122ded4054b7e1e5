import path from 'node:path';
import { convertedEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { command } from '../options.ts';
import { askModule } from '../trainer-answer.ts';
import { required } from '../usage.ts';
import { dataArguments, showFaults } from './validate-data.ts';

export const convertDataCommand = command({
  usage:
    'textbind convert-data --stage 1|2 PATH --out DIR [--images DIR] [--format F] [--skip-bad-rows] [--mend] [--json]: into tars (1) or TextBind JSON (2)',
  texts: ['stage', 'images', 'format', 'out'],
  flags: ['skip-bad-rows', 'mend'],
  positionals: true,
  async run({ values, positionals, output }) {
    const out = path.resolve(required(values.out, 'out'));
    const skips = values['skip-bad-rows'] ? ['--skip-bad-rows'] : [];
    const mends = values.mend ? ['--mend'] : [];
    const call = [...dataArguments(values, positionals), '--out', out, ...skips, ...mends];
    const { answer, code } = await askModule('convert', call, convertedEventSchema, output);
    const { event: _event, time: _time, ...result } = answer;
    output.result(result, () => {
      showFaults(answer.faults, output);
      const { path: place, rows, skipped, format } = answer;
      output.line(
        place === null
          ? `${answer.faults.length} faults: nothing was written; --skip-bad-rows leaves those rows out`
          : `${place}: ${rows} rows of ${format}, ${skipped} left out`,
      );
    });
    return code;
  },
});
