/** Models on the disk, what can be fetched and what is being fetched, put together. */
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { readCatalogue } from '../../library/catalogue.ts';
import { isWithin } from '../../library/model-places.ts';
import { listModels, type ModelsFolder } from '../../library/models.ts';
import { partRoots } from '../../library/parts.ts';
import type { NetworkSettings } from '../../shared/domain/settings.ts';
import { DownloadService } from '../downloads/download-service.ts';
import { usualLimits } from '../downloads/fetch-file.ts';
import { usualSilenceMs } from '../downloads/http.ts';
import { TokenKeeper, type Keychain } from '../downloads/token.ts';
import type { Emit } from '../emit.ts';
import type { AppPaths } from '../paths.ts';
import type { Spawn } from '../processes/child.ts';
import { ConversionProcess } from '../processes/conversion-process.ts';
import { DriveCheck } from '../processes/drive-check.ts';
import { CudaService } from './cuda-service.ts';
import { ModelStore } from './model-store.ts';

export interface ModelLibraryParts extends Pick<AppPaths, 'ownModels' | 'fetched'> {
  readonly modelsFolders: readonly ModelsFolder[];
  /** Starts the process that reads models. */
  readonly spawn: Spawn;
  /** Starts the one that sees whether drives answer. */
  readonly spawnKeeper: Spawn;
  readonly keychain: () => Keychain;
  readonly network: () => NetworkSettings;
  readonly graphics: () => Promise<readonly string[]>;
  /** What has one of these models open opens it anew: its files lie elsewhere. */
  readonly onMoved: (folders: readonly string[]) => Promise<void>;
  /** What is on the disk changed. */
  readonly onChanged: () => void;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createModelLibrary(parts: ModelLibraryParts) {
  const { ownModels, fetched, modelsFolders, spawn, keychain, network, emit, clock, log } = parts;
  const conversion = new ConversionProcess({ spawn, clock, log });
  const own = [ownModels, fetched.parts, ...modelsFolders.map(({ folder }) => folder)];
  const drives = new DriveCheck({
    ...{ spawn: parts.spawnKeeper, clock, log },
    isOwn: (place) => own.some((folder) => isWithin(place, folder)),
    onBack: () => onChange(),
  });
  const list = () => listModels(modelsFolders, drives.silent);
  const onChange = (): void => {
    parts.onChanged();
    void list().then((models) => emit('models.changed', { models }));
  };
  const modelStore = new ModelStore({
    ...{ models: ownModels, parts: fetched.parts, conversion, silence: drives.silent, onChange },
    onImporting: (progress) => emit('models.importing', progress),
    onMoved: parts.onMoved,
  });
  const cuda = new CudaService({ conversion, graphics: parts.graphics });
  const token = new TokenKeeper(fetched.token, keychain);
  const downloads = new DownloadService({
    folders: { jobs: fetched.downloads, parts: fetched.parts },
    catalogue: () => readCatalogue(fetched.catalogues),
    provider: () => cuda.part(),
    ...{ network, token, clock, log },
    build: (job, signal) => modelStore.build(job, signal),
    reachParts: () => modelStore.reachParts(),
    onStatus: (all) => emit('downloads.changed', { downloads: [...all] }),
    onDone: onChange,
    ...{ limits: usualLimits, silenceMs: usualSilenceMs },
  });
  let isRestored = false;
  return {
    services: { modelStore, cuda, token, downloads, catalogues: fetched.catalogues, listModels: list },
    /** Asks again which places do not answer; for a process that goes there. */
    async away() {
      await list();
      return drives.away();
    },
    /** Reads what was being fetched when the app was closed; once, after the window: start-up waits for no drive. */
    async restore() {
      if (isRestored) return;
      isRestored = true;
      await modelStore.settleMoves();
      const roots = partRoots(fetched.parts);
      downloads.restore((await drives.silent(roots)) === null ? roots : []);
    },
    async close() {
      modelStore.close();
      drives.close();
      await downloads.close();
      await conversion.close();
    },
  };
}
