/** Models on the disk, what can be fetched and what is being fetched, put together. */
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { readCatalogue } from '../../library/catalogue.ts';
import { listModels, type ModelsFolder } from '../../library/models.ts';
import type { NetworkSettings } from '../../shared/domain/settings.ts';
import { DownloadService } from '../downloads/download-service.ts';
import { usualLimits } from '../downloads/fetch-file.ts';
import { usualSilenceMs } from '../downloads/http.ts';
import { TokenKeeper, type Keychain } from '../downloads/token.ts';
import type { Emit } from '../emit.ts';
import type { AppPaths } from '../paths.ts';
import type { Spawn } from '../processes/child.ts';
import { ConversionProcess } from '../processes/conversion-process.ts';
import { CudaService } from './cuda-service.ts';
import { ModelStore } from './model-store.ts';

export interface ModelLibraryParts extends Pick<AppPaths, 'ownModels' | 'fetched'> {
  readonly modelsFolders: readonly ModelsFolder[];
  /** Starts the process that reads models. */
  readonly spawn: Spawn;
  readonly keychain: () => Keychain;
  readonly network: () => NetworkSettings;
  readonly graphics: () => Promise<readonly string[]>;
  /** What has one of these models open opens it anew: its files lie elsewhere. */
  readonly onMoved: (folders: readonly string[]) => Promise<void>;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createModelLibrary(parts: ModelLibraryParts) {
  const { ownModels, fetched, modelsFolders, spawn, keychain, network, emit, clock, log } = parts;
  const conversion = new ConversionProcess({ spawn, clock, log });
  const onChange = (): void =>
    void listModels(modelsFolders).then((models) => emit('models.changed', { models }));
  const modelStore = new ModelStore({
    ...{ models: ownModels, parts: fetched.parts, conversion, onChange },
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
    onStatus: (list) => emit('downloads.changed', { downloads: [...list] }),
    onDone: onChange,
    ...{ limits: usualLimits, silenceMs: usualSilenceMs },
  });
  let isRestored = false;
  return {
    services: { modelStore, cuda, token, downloads, catalogues: fetched.catalogues },
    /** Reads what was being fetched when the app was closed; once, after the window: start-up waits for no drive. */
    restore() {
      if (!isRestored) {
        modelStore.settleMoves();
        downloads.restore();
      }
      isRestored = true;
    },
    async close() {
      modelStore.close();
      await downloads.close();
      await conversion.close();
    },
  };
}
