import path from 'node:path';
import { publishRun } from '../../main/training/publish-run.ts';
import { command } from '../options.ts';
import { trainerRuntime } from '../trainer-process.ts';
import { numberOption, onlyWord } from '../usage.ts';
import { dataFolder, findRun, openRuns } from './runs.ts';

export const publishCommand = command({
  usage:
    'textbind publish RUN [--step N] [--name NAME] [--data DIR] [--json]: makes a model of a checkpoint',
  texts: ['step', 'name', 'data'],
  positionals: true,
  async run({ values, positionals, output }) {
    const named = onlyWord(positionals, 'RUN');
    const step = numberOption(values.step, 'step', { min: 0, max: 1e9 }) ?? null;
    const runs = openRuns(values.data);
    try {
      const { id, name } = await findRun(runs, named);
      const data = dataFolder(values.data);
      const published = await publishRun(await runs.find(id), {
        step,
        name: values.name ?? name,
        models: path.join(data, 'models'),
        workFolder: path.join(data, 'training'),
        runtime: trainerRuntime(),
      });
      output.result(published, () => {
        const { folder, sharedBytes, copiedBytes } = published;
        output.line(
          `${folder} (${(copiedBytes / 1e6).toFixed(1)} MB of its own, ${(sharedBytes / 1e6).toFixed(1)} MB shared)`,
        );
      });
    } finally {
      runs.close();
    }
  },
});
