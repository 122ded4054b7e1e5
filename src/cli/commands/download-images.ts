import path from 'node:path';
import { downloadedEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { command } from '../options.ts';
import { askModule } from '../trainer-answer.ts';
import { numberOption, onlyWord, required } from '../usage.ts';

export const downloadImagesCommand = command({
  usage:
    'textbind download-images TRAIN.json --images DIR [--complete OUT.json] [--workers N] [--json]: the pictures that released data names by address',
  texts: ['images', 'complete', 'workers'],
  positionals: true,
  async run({ values, positionals, output }) {
    const file = onlyWord(positionals, 'TRAIN.json');
    const workers = numberOption(values.workers, 'workers', { min: 1, max: 64 }) ?? 16;
    const call = [
      ...[path.resolve(file), '--images', path.resolve(required(values.images, 'images'))],
      ...(values.complete === undefined ? [] : ['--complete', path.resolve(values.complete)]),
      ...['--workers', String(workers)],
    ];
    const { answer, code } = await askModule('download', call, downloadedEventSchema, output);
    const { event: _event, time: _time, ...result } = answer;
    output.result(result, () => {
      for (const { picture, url, reason } of answer.failed) {
        output.line(`${picture} is missing: ${url}: ${reason}`);
      }
      const { pictures, fetched, kept, rows, completeRows } = answer;
      output.line(
        `${fetched} pictures fetched, ${kept} were there, ${answer.failed.length} of ${pictures} missing; ${completeRows} of ${rows} rows are complete`,
      );
    });
    return code;
  },
});
