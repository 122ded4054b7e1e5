import path from 'node:path';
import { extractBlip2 } from '../../worker/conversion/extract-blip2.ts';
import { readOptions } from '../options.ts';
import { required } from '../usage.ts';

export const extractCommand = {
  usage: 'textbind extract --blip2 DIR --out DIR [--json]',
  async run(args: readonly string[]): Promise<void> {
    const { values, output } = readOptions(args, { texts: ['blip2', 'out'] });
    const blip2 = path.resolve(required(values.blip2, 'blip2'));
    const out = path.resolve(required(values.out, 'out'));
    const extracted = await extractBlip2(blip2, out, {
      onProgress: (done, total) => output.progress(`writing tensor ${done} of ${total}`),
    });
    output.progress('');
    output.result(extracted, () => {
      const { vision, qformer, qformerConfig, visionTensors, qformerTensors } = extracted;
      output.line(`${vision} (${visionTensors} tensors)`);
      output.line(`${qformer} (${qformerTensors} tensors)`);
      output.line(qformerConfig);
    });
  },
};
