import path from 'node:path';
import { packedEventSchema, returnedEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { askModule } from '../trainer-answer.ts';
import { numberOption, type Output } from '../usage.ts';

export interface PackOptions {
  readonly copy: boolean;
  readonly nodes: string | undefined;
  readonly gpus: string | undefined;
}

/** Writes a folder for another machine; trains nothing. */
export async function packRun(
  config: string,
  out: string,
  { copy, nodes, gpus }: PackOptions,
  output: Output,
): Promise<void> {
  const call = [
    ...['pack', '--config', config, '--out', path.resolve(out), ...(copy ? ['--copy'] : [])],
    ...['--nodes', String(numberOption(nodes, 'nodes', { min: 1, max: 10_000 }) ?? 1)],
    ...['--gpus', String(numberOption(gpus, 'gpus', { min: 1, max: 64 }) ?? 1)],
  ];
  const { answer } = await askModule('elsewhere', call, packedEventSchema, output);
  const { event: _event, time: _time, ...result } = answer;
  output.result(result, () => {
    const { folder, files, bytes, copied } = answer;
    const where = copied ? 'are in it' : 'are put into it by its gather.sh';
    output.line(`${folder}: ${files} files of ${(bytes / 1e6).toFixed(1)} MB ${where}`);
    output.line('There: bash run.sh, or sbatch run.slurm. Back here: textbind train --read-back');
  });
}

/** Reads a folder that came back. */
export async function readBack(folder: string, output: Output): Promise<void> {
  const call = ['back', path.resolve(folder)];
  const { answer } = await askModule('elsewhere', call, returnedEventSchema, output);
  const { event: _event, time: _time, ...result } = answer;
  output.result(result, () => {
    const { state, step, steps, loss, checkpoints, damaged, model, message } = answer;
    const told = loss === null ? '' : `, loss ${loss}`;
    output.line(`${state} at step ${step}${steps === null ? '' : ` of ${steps}`}${told}`);
    if (message !== null) output.line(message);
    if (checkpoints.length > 0) output.line(`checkpoints: ${checkpoints.join(', ')}`);
    for (const place of damaged) output.line(`damaged on the way: ${place}`);
    if (model !== null) output.line(`model: ${model}`);
  });
}
