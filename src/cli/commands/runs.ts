import path from 'node:path';
import { silentLogger } from '../../base/log.ts';
import { systemClock } from '../../base/clock.ts';
import { Runs } from '../../main/training/runs.ts';
import type { RunSummary } from '../../shared/domain/training.ts';
import { command } from '../options.ts';
import { userDataFolder } from '../user-data.ts';
import { trainerRuntime } from '../trainer-process.ts';
import { UsageError } from '../usage.ts';

const actions = ['stop', 'start', 'kill'] as const;
type Action = (typeof actions)[number];

export const runsCommand = command({
  usage:
    'textbind runs [stop|start|kill RUN] [--accept-changes] [--data DIR] [--json]: the runs of the app, by id or name',
  texts: ['data'],
  flags: ['accept-changes'],
  positionals: true,
  async run({ values, positionals, output }) {
    const runs = openRuns(values.data);
    try {
      const [action, named, ...more] = positionals;
      if (action === undefined) {
        const list = await runs.list();
        output.result({ runs: list }, () => {
          for (const run of list) output.line(lineOf(run));
          if (list.length === 0) output.line('There are no runs.');
        });
        return;
      }
      if (!isAction(action) || named === undefined || more.length > 0) {
        throw new UsageError(`${action}: expected one of ${actions.join(', ')} and a run`);
      }
      const { id } = await findRun(runs, named);
      const run = await act(runs, action, id, values['accept-changes']);
      output.result(run, () => output.line(lineOf(run)));
    } finally {
      runs.close();
    }
  },
});

function isAction(word: string): word is Action {
  return actions.some((action) => action === word);
}

function act(runs: Runs, action: Action, id: string, accept: boolean): Promise<RunSummary> {
  if (action === 'start') return runs.start(id, accept);
  return action === 'stop' ? runs.stop(id) : runs.kill(id);
}

/** The runs below a data folder (`--data`); without one, of the app's. */
export function openRuns(data: string | undefined): Runs {
  return new Runs({
    folder: path.join(dataFolder(data), 'training', 'runs'),
    clock: systemClock,
    log: silentLogger,
    // Nothing is deleted for good by the command.
    stamp: () => 0,
    runtime: trainerRuntime,
    onChange: () => undefined,
  });
}

/** The folder that holds database, models and training. */
export function dataFolder(given: string | undefined): string {
  return given === undefined ? path.join(userDataFolder(), 'data') : path.resolve(given);
}

/** A run by its id, the beginning of it, or its name. @throws UsageError where none or several fit */
export async function findRun(runs: Runs, named: string): Promise<RunSummary> {
  const list = await runs.list();
  const fitting = list.filter(({ id, name }) => id.startsWith(named) || name === named);
  const [found, ...others] = fitting;
  if (found === undefined) throw new UsageError(`there is no run ${named}; see textbind runs`);
  if (others.length > 0)
    throw new UsageError(`${fitting.length} runs are called ${named}: give the id`);
  return found;
}

function lineOf(run: RunSummary): string {
  const steps = run.steps === null ? '' : `, step ${run.step} of ${run.steps}`;
  const loss = run.loss === null ? '' : `, loss ${run.loss}`;
  const trouble = run.trouble === null ? '' : `: ${run.trouble.message} ${run.trouble.remedy}`;
  return `${run.id}  ${run.name}  stage ${run.stage}, ${run.state}${steps}${loss}${trouble}`;
}
