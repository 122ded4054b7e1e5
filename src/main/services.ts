import type { AppReplyBody } from '../shared/contracts/app-ipc.ts';
import type { Licence } from '../shared/domain/licence.ts';
import type { EditCommand } from '../shared/domain/edit-command.ts';
import type { EngineStatus } from '../shared/domain/engine-status.ts';
import type { Clock } from '../base/clock.ts';
import type { BenchService } from './conversations/bench-service.ts';
import type { ComparisonService } from './conversations/comparison-service.ts';
import type { ChatService } from './conversations/chat-service.ts';
import type { VersionService } from './conversations/version-service.ts';
import type { Store } from './database/store.ts';
import type { Emit } from './emit.ts';
import type { Erasure } from './erasure.ts';
import type { Gatherer } from './exchange/gather.ts';
import type { ExchangeService } from './exchange/service.ts';
import type { ModelSummary } from '../shared/domain/model-manifest.ts';
import type { Gallery } from './pictures/gallery.ts';
import type { OutgoingPictures } from './pictures/outgoing.ts';
import type { Thumbnails } from './pictures/thumbnails.ts';
import type { PictureDecoder } from './processes/picture-decoder.ts';
import type { PictureStore } from './pictures/store.ts';
import type { DoctorService } from './doctor-service.ts';
import type { FitService } from './fit-service.ts';
import type { LocalServerService } from './local-server-service.ts';
import type { UpdateService } from './updates/update-service.ts';
import type { DownloadService } from './downloads/download-service.ts';
import type { TokenKeeper } from './downloads/token.ts';
import type { CudaService } from './models/cuda-service.ts';
import type { ModelStore } from './models/model-store.ts';
import type { Training } from './training/training.ts';
import type { Prompts } from './recipe/prompts.ts';
import type { Recipes } from './recipe/recipes.ts';
import type { WriterKeys } from './recipe/writer-keys.ts';

/** Places outside the app, each reached only by asking the person or by their own command. */
export interface Places {
  /** Where a file is to go; null when the person cancelled. */
  askWhere(suggested: string, type: { name: string; extension: string }): Promise<string | null>;
  /** Where a new folder is to be made; null when the person cancelled. */
  askFolder(suggested: string): Promise<string | null>;
  /** Which file is to be read; null when the person cancelled. */
  askWhich(name: string, extensions: readonly string[]): Promise<string | null>;
  showInFolder(file: string): void;
  /** Shows a file that was saved in this run in its folder; others are refused. */
  showFile(file: string): void;
  /** Edits where the focus of the window is. */
  edit(command: EditCommand): void;
  askToOpen(link: string): Promise<boolean>;
  openInBrowser(link: string): Promise<void>;
  openFolder(folder: string): Promise<void>;
  /** Goes on with a drag of the window as one of a file; `icon` is a JPEG or PNG, or null for none. */
  startDrag(file: string, icon: Uint8Array | null): void;
  /** A file or a folder of the person's; null when they cancelled. */
  askForData(what: 'file' | 'folder'): Promise<string | null>;
}

/** The engine as requests of the window use it. */
export interface EngineControl {
  status(): EngineStatus;
  restart(): Promise<void>;
  openChosen(): Promise<void>;
}

/** What the handlers of the window's requests work with. */
export interface AppServices {
  readonly store: Store;
  readonly pictures: PictureStore;
  readonly outgoing: OutgoingPictures;
  readonly thumbnails: Thumbnails;
  readonly gallery: Gallery;
  readonly erasure: Erasure;
  readonly decoder: Pick<PictureDecoder, 'check' | 'prepare'>;
  readonly chat: ChatService;
  readonly versions: VersionService;
  readonly bench: BenchService;
  readonly exchange: ExchangeService;
  readonly gatherer: Gatherer;
  readonly comparison: ComparisonService;
  readonly engine: EngineControl;
  readonly training: Training;
  readonly recipes: Recipes;
  readonly recipePrompts: Prompts;
  readonly writerKeys: WriterKeys;
  /** The models on the disk; those whose drive does not answer with that as their fault. */
  readonly listModels: () => Promise<ModelSummary[]>;
  readonly modelStore: ModelStore;
  readonly cuda: CudaService;
  readonly downloads: DownloadService;
  readonly token: TokenKeeper;
  /** Names of graphics cards. */
  readonly graphics: () => Promise<readonly string[]>;
  /** Files of what can be fetched; the person's own last. */
  readonly catalogues: readonly string[];
  readonly places: Places;
  readonly updates: UpdateService;
  readonly doctor: DoctorService;
  readonly localServer: LocalServerService;
  readonly fit: FitService;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly info: AppReplyBody<'app.info'>;
  readonly licences: () => readonly Licence[];
}
