import { getContext, setContext } from 'svelte';
import type { Api } from '../api.ts';
import { BenchStore } from './bench.svelte.ts';
import { CaptionsStore } from './captions.svelte.ts';
import { ChatStore } from './chat.svelte.ts';
import { ComparisonStore } from './comparison.svelte.ts';
import { ConversationsStore } from './conversations.svelte.ts';
import { DoctorStore } from './doctor.svelte.ts';
import { DownloadsStore } from './downloads.svelte.ts';
import { DraftsStore } from './drafts.svelte.ts';
import { EngineStore } from './engine.svelte.ts';
import { ExchangeStore } from './exchange.svelte.ts';
import { FindStore } from './find.svelte.ts';
import { FitStore } from './fit.svelte.ts';
import { GalleryStore } from './gallery.svelte.ts';
import { LightboxStore } from './lightbox.svelte.ts';
import { MeterStore } from './meter.svelte.ts';
import { ModelImportStore } from './model-import.svelte.ts';
import { ModelsStore } from './models.svelte.ts';
import { OwnSettingsStore } from './own-settings.svelte.ts';
import { PicturesStore } from './pictures.svelte.ts';
import { RecipesStore } from './recipes.svelte.ts';
import { RevealStore } from './reveal.svelte.ts';
import { ServerStore } from './server.svelte.ts';
import { SettingsStore } from './settings.svelte.ts';
import { ShellStore } from './shell.svelte.ts';
import { TrainingStore } from './training.svelte.ts';
import { TrashStore } from './trash.svelte.ts';
import { VersionsStore } from './versions.svelte.ts';

/** Everything the views share. One for each window (and one for each test). */
export interface Studio {
  readonly api: Api;
  readonly shell: ShellStore;
  readonly engine: EngineStore;
  readonly settings: SettingsStore;
  readonly models: ModelsStore;
  readonly modelImport: ModelImportStore;
  readonly downloads: DownloadsStore;
  readonly conversations: ConversationsStore;
  readonly chat: ChatStore;
  readonly drafts: DraftsStore;
  readonly pictures: PicturesStore;
  readonly lightbox: LightboxStore;
  readonly bench: BenchStore;
  readonly gallery: GalleryStore;
  readonly exchange: ExchangeStore;
  readonly versions: VersionsStore;
  readonly captions: CaptionsStore;
  readonly reveal: RevealStore;
  readonly training: TrainingStore;
  readonly comparison: ComparisonStore;
  readonly recipes: RecipesStore;
  readonly trash: TrashStore;
  readonly find: FindStore;
  readonly meter: MeterStore;
  readonly own: OwnSettingsStore;
  readonly doctor: DoctorStore;
  readonly server: ServerStore;
  readonly fit: FitStore;
}

const key = Symbol('studio');

/** Makes the stores over one client. Their listeners live as long as the window. */
export function createStudio(api: Api): Studio {
  const chat = new ChatStore(api);
  api.on('conversations.changed', ({ conversation, removed }) => {
    if (!removed) chat.updateSummary(conversation);
  });
  const shell = new ShellStore(api);
  api.on('app.open', ({ place, conversationId }) => {
    shell.go(place);
    if (conversationId !== null) void chat.open(conversationId);
  });
  const reveal = new RevealStore(api, chat);
  const conversations = new ConversationsStore(api);
  const settings = new SettingsStore(api);
  return {
    api,
    chat,
    shell,
    pictures: new PicturesStore(api, shell),
    lightbox: new LightboxStore(api, chat),
    bench: new BenchStore(api, chat),
    gallery: new GalleryStore(api, shell, reveal),
    engine: new EngineStore(api),
    exchange: new ExchangeStore(api, {
      shell,
      async imported() {
        await conversations.load();
        if (chat.conversationId !== null) await chat.open(chat.conversationId);
      },
    }),
    settings,
    models: new ModelsStore(api),
    modelImport: new ModelImportStore(api),
    downloads: new DownloadsStore(api),
    conversations,
    drafts: new DraftsStore(api),
    versions: new VersionsStore(api, chat),
    captions: new CaptionsStore(chat),
    reveal,
    training: new TrainingStore(api),
    comparison: new ComparisonStore(api),
    recipes: new RecipesStore(api),
    trash: new TrashStore(api),
    find: new FindStore(chat, reveal),
    meter: new MeterStore(api, chat),
    own: new OwnSettingsStore(api, chat, settings),
    doctor: new DoctorStore(api),
    server: new ServerStore(api),
    fit: new FitStore(api),
  };
}

/** Asks main for everything that the first screen shows. */
export async function loadStudio(studio: Studio): Promise<void> {
  await Promise.all([
    studio.settings.load().then(() => reopen(studio)),
    studio.engine.load(),
    studio.conversations.load(),
    studio.models.load(),
    studio.drafts.load(),
  ]);
}

/** Opens what was open last, unless something else is by now; one that is gone is no fault. */
async function reopen({ chat, settings }: Studio): Promise<void> {
  const { lastConversation } = settings.value;
  if (lastConversation === null || chat.conversationId !== null || chat.opening) return;
  await chat.open(lastConversation);
  if (chat.openError !== null) chat.startNew();
}

export function provideStudio(studio: Studio): void {
  setContext(key, studio);
}

export function useStudio(): Studio {
  return getContext<Studio>(key);
}
