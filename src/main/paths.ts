import path from 'node:path';
import { catalogueName } from '../library/catalogue.ts';

/** Every place that main reads or writes. */
export interface AppPaths {
  /** What a person would copy to keep everything: database, pictures, own models. */
  readonly data: string;
  readonly database: string;
  readonly backups: string;
  readonly pictures: string;
  /** Pictures that are being dragged to another program. Emptied at each start and end. */
  readonly outgoing: string;
  /** Pictures of the local server's clients, while they are answered. */
  readonly requests: string;
  /** Models that a person brings. */
  readonly ownModels: string;
  /** What training keeps: its environment, data sets and runs. */
  readonly training: string;
  /** Keys of servers that write conversations of a recipe. */
  readonly writerKeys: string;
  /** What is fetched: parts of models, where each download is, the hub's token, what can be fetched. */
  readonly fetched: {
    readonly parts: string;
    readonly downloads: string;
    readonly token: string;
    readonly catalogues: readonly string[];
  };
  readonly logs: string;
  readonly mainLog: string;
  readonly workerLog: string;
  /** Of the process that draws: each process has a file of its own. */
  readonly drawingLog: string;
  readonly conversionLog: string;
  /** Models that came with the app. */
  readonly embeddedModels: string;
  readonly resources: string;
  readonly icon: string;
  readonly page: string;
  readonly preload: string;
  readonly worker: string;
  readonly decoder: string;
  readonly keeper: string;
  /** What others wrote and is in the app, as the build found it. */
  readonly licences: string;
}

export interface PathRoots {
  /** Electron's userData: Chromium keeps its own files there too. */
  readonly userData: string;
  /** Folder of the built main.js (out/main). */
  readonly mainFolder: string;
  /** Electron's resources folder of an installed app; null when run from a checkout. */
  readonly installedResources: string | null;
  readonly modelsFolder: string | null;
}

/** Lays out every path from a few roots. */
export function layOutPaths(roots: PathRoots): AppPaths {
  const data = path.join(roots.userData, 'data');
  const logs = path.join(roots.userData, 'logs');
  const built = path.join(roots.mainFolder, '..');
  const base = roots.installedResources ?? path.join(built, '..');
  return {
    data,
    database: path.join(data, 'textbind.db'),
    backups: path.join(data, 'backups'),
    pictures: path.join(data, 'pictures'),
    outgoing: path.join(roots.userData, 'outgoing'),
    requests: path.join(roots.userData, 'requests'),
    ownModels: path.join(data, 'models'),
    training: path.join(data, 'training'),
    writerKeys: path.join(roots.userData, 'writer-keys'),
    fetched: {
      parts: path.join(data, 'parts'),
      downloads: path.join(data, 'downloads'),
      token: path.join(roots.userData, 'hub-token'),
      catalogues: [path.join(base, 'models', catalogueName), path.join(data, catalogueName)],
    },
    logs,
    mainLog: path.join(logs, 'main.log'),
    workerLog: path.join(logs, 'worker.log'),
    drawingLog: path.join(logs, 'drawing.log'),
    conversionLog: path.join(logs, 'conversion.log'),
    embeddedModels: roots.modelsFolder ?? path.join(base, 'models'),
    resources: path.join(base, 'resources'),
    icon: path.join(base, 'resources', 'icons', 'png', '256x256.png'),
    page: path.join(built, 'renderer'),
    preload: path.join(built, 'preload', 'preload.cjs'),
    worker: path.join(built, 'worker', 'main.js'),
    decoder: path.join(built, 'decoder', 'main.js'),
    keeper: path.join(built, 'keeper', 'main.js'),
    licences: path.join(built, 'licences', 'licences.json'),
  };
}
