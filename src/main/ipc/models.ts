import { readCatalogue } from '../../library/catalogue.ts';
import { machineMemory } from '../../library/fit/machine-memory.ts';
import type { HubStatus } from '../../shared/domain/download.ts';
import type { Clock } from '../../base/clock.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about models on the disk. */
export function modelHandlers(services: AppServices): DomainHandlers<'models'> {
  const { places, modelStore, emit, clock } = services;
  return {
    'models.list': async () => ({ models: await services.listModels() }),
    'models.cuda': () => services.cuda.status(),
    'models.graphics': async () => ({ cards: [...(await services.graphics())] }),
    async 'models.pick'({ what }) {
      const place = await places.askForData(what);
      return place === null ? null : { place };
    },
    async 'models.recognise'({ places: brought }) {
      return { found: await modelStore.recognise(brought) };
    },
    'models.cost': ({ sources, storage }) => modelStore.cost(sources, storage),
    'models.import': (request) => modelStore.import(request),
    'models.stopImport'() {
      modelStore.stopImport();
      return null;
    },
    'models.rename'({ folder, name }) {
      modelStore.rename(folder, name);
      return null;
    },
    async 'models.removal'({ folder }) {
      const { ownBytes, parts } = await modelStore.removal(folder);
      return { ownBytes, parts: parts.map((part) => ({ ...part, usedBy: [...part.usedBy] })) };
    },
    async 'models.remove'({ folder }) {
      await modelStore.remove(folder);
      return null;
    },
    ...moveHandlers(services),
    async 'models.verify'({ folder }) {
      const tell = seldom(clock, (bytes) => emit('models.verifying', { folder, bytes }));
      return { faults: await modelStore.verify(folder, tell) };
    },
    'models.stopVerifying'() {
      modelStore.stopVerifying();
      return null;
    },
    async 'models.parts'() {
      const parts = await modelStore.listParts();
      return { parts: parts.map((part) => ({ ...part, usedBy: [...part.usedBy] })) };
    },
    async 'models.removePart'({ folder }) {
      await modelStore.removePart(folder);
      return null;
    },
  };
}

/** Requests about moving a model to another place. */
function moveHandlers({
  modelStore,
  emit,
  clock,
}: AppServices): Pick<DomainHandlers<'models'>, `models.${'movePlan' | 'move' | 'stopMoving'}`> {
  return {
    async 'models.movePlan'({ folder, target, withShared }) {
      const { plan, shared, freeBytes } = await modelStore.movePlan(folder, target, withShared);
      const parts = shared.map((part) => ({ ...part, usedBy: [...part.usedBy] }));
      return { bytes: plan.bytes, freeBytes, shared: parts };
    },
    async 'models.move'({ folder, target, withShared }) {
      const onBytes = seldom(clock, (bytes) => emit('models.moving', { folder, bytes }));
      await modelStore.move(folder, target, { withShared, onBytes });
      return null;
    },
    'models.stopMoving'() {
      modelStore.stopMoving();
      return null;
    },
  };
}

/** Requests about what is fetched. */
export function downloadHandlers({
  downloads,
  token,
  catalogues,
}: AppServices): DomainHandlers<'downloads'> {
  const hub = (): HubStatus => ({ hasToken: token.has, tokenKept: token.kept() });
  return {
    'downloads.catalogue'() {
      const { parts, systems, faults } = readCatalogue(catalogues);
      return { parts, systems, faults: [...faults], memoryBytes: machineMemory() };
    },
    'downloads.list': () => ({ downloads: [...downloads.list()], hub: hub() }),
    'downloads.look': ({ entryId }) => downloads.look(entryId),
    'downloads.stopLooking'() {
      downloads.stopLooking();
      return null;
    },
    'downloads.start': ({ offerId, storage }) => downloads.start(offerId, storage),
    async 'downloads.pause'({ downloadId }) {
      await downloads.pause(downloadId);
      return null;
    },
    'downloads.resume'({ downloadId }) {
      downloads.resume(downloadId);
      return null;
    },
    async 'downloads.cancel'({ downloadId }) {
      await downloads.cancel(downloadId);
      return null;
    },
    'downloads.move'({ downloadId, by }) {
      downloads.move(downloadId, by);
      return null;
    },
    'downloads.setToken'({ token: given }) {
      token.set(given);
      return hub();
    },
  };
}

/** How often the window is told, milliseconds. */
const tellMs = 200;

/** Tells of progress not more often than a person sees. */
function seldom(clock: Clock, tell: (bytes: number) => void): (bytes: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (bytes) => {
    const now = clock.monotonicMs();
    if (now - last < tellMs) return;
    last = now;
    tell(bytes);
  };
}
