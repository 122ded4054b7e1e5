import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about the trainer's environment. */
export function trainerHandlers({
  training: { environment },
}: AppServices): DomainHandlers<'trainer'> {
  return {
    'trainer.status': () => environment.status(),
    'trainer.install': ({ python, build }) => environment.install(python, build),
    'trainer.cancel'() {
      environment.cancel();
      return null;
    },
    'trainer.choose': ({ python }) => environment.choose(python),
    'trainer.verify': () => environment.verify(),
    'trainer.repair': () => environment.repair(),
    'trainer.remove': () => environment.remove(),
  };
}

/** Requests about data sets. */
export function datasetHandlers({
  training: { datasets },
  gatherer,
  places,
}: AppServices): DomainHandlers<'datasets'> {
  return {
    'datasets.list': () => ({ datasets: datasets.list() }),
    'datasets.add': ({ path, images }) => datasets.add(path, images),
    async 'datasets.pick'({ what }) {
      const path = await places.askForData(what);
      return path === null ? null : { path };
    },
    'datasets.gatherable': ({ from, limit, offset }) => gatherer.list(from, limit, offset),
    'datasets.gather': ({ name, ...choice }) =>
      datasets.addOwn(name, 2, async (folder) => (await gatherer.write(folder, choice)).file),
    'datasets.check': ({ datasetId }) => datasets.check(datasetId),
    'datasets.change': ({ datasetId, ...change }) => datasets.change(datasetId, change),
    async 'datasets.split'({ datasetId, share, withoutFaults }) {
      return { datasets: await datasets.split(datasetId, share, withoutFaults) };
    },
    'datasets.exclude': ({ datasetId, name, rows }) => datasets.exclude(datasetId, name, rows),
    'datasets.remove'({ datasetId }) {
      datasets.remove(datasetId);
      return null;
    },
    async 'datasets.samples'({ datasetId, modelFolder, from, count }) {
      return { samples: await datasets.samples(datasetId, modelFolder, from, count) };
    },
  };
}

/** Requests about runs. */
export function runHandlers({ training, places }: AppServices): DomainHandlers<'runs'> {
  const { runs } = training;
  return {
    'runs.list': async () => ({ runs: await runs.list() }),
    'runs.open': ({ runId }) => runs.detail(runId),
    'runs.replies': ({ runId, times }) => runs.replies(runId, times),
    'runs.history': ({ runId, points }) => runs.history(runId, points),
    'runs.create': (plan) => training.createRun(plan),
    'runs.preflight': (plan) => training.preflight(plan),
    'runs.start': ({ runId, acceptChanges }) => runs.start(runId, acceptChanges),
    'runs.stop': ({ runId }) => runs.stop(runId),
    'runs.kill': ({ runId }) => runs.kill(runId),
    'runs.change': ({ runId, change }) => runs.change(runId, change),
    'runs.rename': ({ runId, name }) => runs.rename(runId, name),
    'runs.restEngine': ({ runId, restsEngine }) => runs.setRestsEngine(runId, restsEngine),
    'runs.duplicate': ({ runId }) => runs.duplicate(runId),
    async 'runs.delete'({ runId }) {
      await runs.delete(runId);
      return null;
    },
    'runs.restore': ({ runId }) => runs.restore(runId),
    'runs.publish': ({ runId, step, name }) => training.publish(runId, step, name),
    async 'runs.pack'({ runId, ...machines }) {
      const out = await places.askFolder(`${(await runs.find(runId)).about.name} elsewhere`);
      return out === null ? null : training.pack(runId, { ...machines, out });
    },
    'runs.takeBack': ({ folder }) => training.takeBack(folder),
    async 'runs.openFolder'({ runId }) {
      await places.openFolder((await runs.find(runId)).folder.folder);
      return null;
    },
  };
}
