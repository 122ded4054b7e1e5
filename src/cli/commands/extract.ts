import path from 'node:path';
import { extractBlip2 } from '../../worker/conversion/extract-blip2.ts';
import { command } from '../options.ts';
import { required } from '../usage.ts';

export const extractCommand = command({
  usage: 'textbind extract --blip2 DIR --out DIR [--json]',
  texts: ['blip2', 'out'],
  async run({ values, output }) {
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
});
