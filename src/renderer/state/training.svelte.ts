import type {
  DataSample,
  Dataset,
  PackedRun,
  Preflight,
  RunChange,
  RunDetail,
  RunHistory,
  RunPlan,
  RunReplies,
  RunSummary,
  Stage,
  TrainerStatus,
} from '../../shared/domain/training.ts';
import type { GatherFrom } from '../../shared/domain/gather.ts';
import { isLive } from '../../shared/domain/training.ts';
import type { AppReplyBody } from '../../shared/contracts/app-ipc.ts';
import type { ModelSummary } from '../../shared/domain/model-manifest.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';

type GatherPage = AppReplyBody<'datasets.gatherable'>;

/** What two models are compared by, where that was chosen elsewhere. */
export interface CompareStart {
  /** Folders. */
  readonly models?: readonly [string, string];
  /** A reply whose message both are asked. */
  readonly turnId?: string;
}

/** What the training room shows: all of it, a run, or the form of a new one. */
export type TrainingPage =
  | { readonly kind: 'all' }
  | { readonly kind: 'new'; readonly tenStepsOn?: string }
  /** A data set of the app's own conversations. */
  | { readonly kind: 'gather' }
  | { readonly kind: 'runs' }
  /** Conversations written of captions. */
  | { readonly kind: 'recipe-new'; readonly datasetId?: string }
  | { readonly kind: 'recipe'; readonly recipeId: string }
  | { readonly kind: 'compare'; readonly start: CompareStart }
  | { readonly kind: 'run'; readonly runId: string };

/** Conversations that are looked through at once. */
export const gatherAtOnce = 20;

/** More points than a chart has pixels would be drawn for nobody. */
const chartPoints = 600;

/** Of each prompt; a list of more nobody reads. */
const repliesShown = 60;

/** The trainer's Python, data sets and runs, as main tells of them. */
export class TrainingStore {
  page = $state.raw<TrainingPage>({ kind: 'all' });
  trainer = $state.raw<TrainerStatus | null>(null);
  datasets = $state.raw<readonly Dataset[]>([]);
  runs = $state.raw<readonly RunSummary[]>([]);
  loaded = $state(false);
  error = $state<string | null>(null);
  /** Of the run that is open. */
  detail = $state.raw<RunDetail | null>(null);
  history = $state.raw<RunHistory | null>(null);
  /** What the open run was asked while it learnt, and its answers. */
  replies = $state.raw<RunReplies>([]);
  /** A run that was deleted just now, and can be brought back. */
  deleted = $state.raw<RunSummary | null>(null);
  readonly #api: Api;
  #reading: Promise<void> | null = null;
  #readAgain = false;

  constructor(api: Api) {
    this.#api = api;
    api.on('trainer.status', (status) => (this.trainer = status));
    api.on('datasets.changed', ({ dataset, removed }) => {
      this.datasets = removed ? without(this.datasets, dataset.id) : put(this.datasets, dataset);
    });
    api.on('runs.changed', ({ run, removed }) => {
      this.runs = removed ? without(this.runs, run.id) : put(this.runs, run);
      if (!removed && this.openRunId === run.id) void this.#read();
    });
  }

  get openRunId(): string | null {
    return this.page.kind === 'run' ? this.page.runId : null;
  }

  /** The run that is open, as last told. */
  get run(): RunSummary | null {
    return this.runs.find(({ id }) => id === this.openRunId) ?? this.detail?.summary ?? null;
  }

  get liveRuns(): readonly RunSummary[] {
    return this.runs.filter(({ state }) => isLive(state));
  }

  async load(): Promise<void> {
    await this.#try(async () => {
      const [trainer, { datasets }, { runs }] = await Promise.all([
        this.#api.request('trainer.status', null),
        this.#api.request('datasets.list', null),
        this.#api.request('runs.list', null),
      ]);
      this.trainer = trainer;
      this.datasets = datasets;
      this.runs = runs;
      this.loaded = true;
    });
  }

  show(page: TrainingPage): void {
    this.error = null;
    this.page = page;
    if (page.kind !== 'run') return;
    if (this.detail?.summary.id !== page.runId) {
      this.detail = null;
      this.history = null;
      this.replies = [];
    }
    void this.#read();
  }

  install(build: 'usual' | 'cpu', python: string | null): Promise<boolean> {
    return this.#status(() => this.#api.request('trainer.install', { python, build }));
  }

  choosePython(python: string): Promise<boolean> {
    return this.#status(() => this.#api.request('trainer.choose', { python }));
  }

  verify(): Promise<boolean> {
    return this.#status(() => this.#api.request('trainer.verify', null));
  }

  repairEnvironment(): Promise<boolean> {
    return this.#status(() => this.#api.request('trainer.repair', null));
  }

  removeEnvironment(): Promise<boolean> {
    return this.#status(() => this.#api.request('trainer.remove', null));
  }

  cancelInstall(): Promise<boolean> {
    return this.#try(async () => void (await this.#api.request('trainer.cancel', null)));
  }

  /** Asks for a file or a folder, and adds it. */
  addPicked(what: 'file' | 'folder'): Promise<boolean> {
    return this.#try(async () => {
      const picked = await this.#api.request('datasets.pick', { what });
      if (picked !== null) await this.#add(picked.path);
    });
  }

  /** Asks for a file or a folder; null where the person cancelled. */
  async pick(what: 'file' | 'folder'): Promise<string | null> {
    return (await this.#api.request('datasets.pick', { what }))?.path ?? null;
  }

  add(path: string): Promise<boolean> {
    return this.#try(() => this.#add(path));
  }

  /** What a data set of conversations would hold. @throws what main says, as a sentence */
  gatherable(from: GatherFrom, offset: number): Promise<GatherPage> {
    return this.#api.request('datasets.gatherable', { from, limit: gatherAtOnce, offset });
  }

  /** Makes one; the others are shown with it. */
  gather(name: string, from: GatherFrom, changed: readonly string[]): Promise<boolean> {
    return this.#try(async () => {
      const request = { name, from, changed: [...changed] };
      this.datasets = put(this.datasets, await this.#api.request('datasets.gather', request));
      this.show({ kind: 'all' });
    });
  }

  checkDataset(datasetId: string): Promise<boolean> {
    return this.#try(async () => void (await this.#api.request('datasets.check', { datasetId })));
  }

  /** Makes two data sets of one. @param share of the rows that are held back */
  splitDataset(datasetId: string, share: number, withoutFaults: boolean): Promise<boolean> {
    return this.#try(async () => {
      const request = { datasetId, share, withoutFaults };
      const { datasets } = await this.#api.request('datasets.split', request);
      for (const dataset of datasets) this.datasets = put(this.datasets, dataset);
    });
  }

  /** Makes a data set of all rows of one but some. */
  excludeRows(datasetId: string, name: string, rows: readonly number[]): Promise<boolean> {
    return this.#try(async () => {
      const request = { datasetId, name: name.slice(0, 120), rows: [...rows] };
      this.datasets = put(this.datasets, await this.#api.request('datasets.exclude', request));
    });
  }

  changeDataset(
    datasetId: string,
    change: { skipsBadRows: boolean } | { stage: Stage },
  ): Promise<boolean> {
    return this.#try(async () => {
      const request = { datasetId, ...change };
      this.datasets = put(this.datasets, await this.#api.request('datasets.change', request));
    });
  }

  removeDataset(datasetId: string): Promise<boolean> {
    return this.#try(async () => {
      await this.#api.request('datasets.remove', { datasetId });
      this.datasets = without(this.datasets, datasetId);
    });
  }

  /** Rows as a model is given them in training. @throws what main says, as a sentence */
  async samples(
    datasetId: string,
    modelFolder: string,
    from: number,
  ): Promise<readonly DataSample[]> {
    const request = { datasetId, modelFolder, from, count: 3 };
    const { samples } = await this.#api.request('datasets.samples', request);
    return samples;
  }

  /** A run's curves. @throws what main says */
  historyOf(runId: string): Promise<RunHistory> {
    return this.#api.request('runs.history', { runId, points: chartPoints });
  }

  /** A few real steps. @throws what main says */
  preflight(plan: RunPlan): Promise<Preflight> {
    return this.#api.request('runs.preflight', plan);
  }

  /** Makes a run, starts it if it is to, and opens it. */
  create(plan: RunPlan, start: boolean): Promise<boolean> {
    return this.#try(async () => {
      const run = await this.#api.request('runs.create', plan);
      this.runs = put(this.runs, run);
      this.show({ kind: 'run', runId: run.id });
      if (start) await this.#start(run.id, false);
    });
  }

  start(runId: string, acceptChanges = false): Promise<boolean> {
    return this.#try(() => this.#start(runId, acceptChanges));
  }

  stop(runId: string): Promise<boolean> {
    return this.#summary(() => this.#api.request('runs.stop', { runId }));
  }

  kill(runId: string): Promise<boolean> {
    return this.#summary(() => this.#api.request('runs.kill', { runId }));
  }

  rename(runId: string, name: string): Promise<boolean> {
    return this.#summary(() => this.#api.request('runs.rename', { runId, name }));
  }

  /** Changes settings of a run that rests. */
  change(runId: string, change: RunChange): Promise<boolean> {
    return this.#try(async () => {
      const detail = await this.#api.request('runs.change', { runId, change });
      if (this.openRunId === runId) this.detail = detail;
    });
  }

  /** Whether the chat's model gives up its memory while the run is under way. */
  restEngine(runId: string, restsEngine: boolean): Promise<boolean> {
    return this.#summary(() => this.#api.request('runs.restEngine', { runId, restsEngine }));
  }

  duplicate(runId: string): Promise<boolean> {
    return this.#try(async () => {
      const run = await this.#api.request('runs.duplicate', { runId });
      this.runs = put(this.runs, run);
      this.show({ kind: 'run', runId: run.id });
    });
  }

  delete(run: RunSummary): Promise<boolean> {
    return this.#try(async () => {
      await this.#api.request('runs.delete', { runId: run.id });
      this.runs = without(this.runs, run.id);
      this.deleted = run;
      if (this.openRunId === run.id) this.show({ kind: 'all' });
    });
  }

  restore(): Promise<boolean> {
    const { deleted } = this;
    if (deleted === null) return Promise.resolve(false);
    return this.#try(async () => {
      const run = await this.#api.request('runs.restore', { runId: deleted.id });
      this.runs = put(this.runs, run);
      this.deleted = null;
    });
  }

  /** Makes a model of the newest checkpoint, or of one. @throws what main says */
  publish(runId: string, step: number | null, name: string): Promise<ModelSummary> {
    return this.#api.request('runs.publish', { runId, step, name });
  }

  /** Writes a folder for another machine; null when the person cancelled. @throws what main says */
  pack(
    runId: string,
    machines: { readonly copy: boolean; readonly nodes: number; readonly gpus: number },
  ): Promise<PackedRun | null> {
    return this.#api.request('runs.pack', { runId, ...machines });
  }

  /** Asks for a folder that came back from another machine, and opens the run that it is. */
  takeBackPicked(): Promise<boolean> {
    return this.#try(async () => {
      const picked = await this.#api.request('datasets.pick', { what: 'folder' });
      if (picked === null) return;
      const run = await this.#api.request('runs.takeBack', { folder: picked.path });
      this.runs = put(this.runs, run);
      this.show({ kind: 'run', runId: run.id });
    });
  }

  openFolder(runId: string): Promise<boolean> {
    return this.#try(async () => void (await this.#api.request('runs.openFolder', { runId })));
  }

  async #add(path: string): Promise<void> {
    const dataset = await this.#api.request('datasets.add', { path, images: null });
    this.datasets = put(this.datasets, dataset);
  }

  async #start(runId: string, acceptChanges: boolean): Promise<void> {
    this.runs = put(this.runs, await this.#api.request('runs.start', { runId, acceptChanges }));
  }

  #summary(action: () => Promise<RunSummary>): Promise<boolean> {
    return this.#try(async () => {
      this.runs = put(this.runs, await action());
    });
  }

  #status(action: () => Promise<TrainerStatus>): Promise<boolean> {
    return this.#try(async () => {
      this.trainer = await action();
    });
  }

  /** Reads what the open run's page shows; once more where something happened meanwhile. */
  #read(): Promise<void> {
    this.#readAgain = true;
    this.#reading ??= this.#readOn().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #readOn(): Promise<void> {
    while (this.#readAgain) {
      this.#readAgain = false;
      const runId = this.openRunId;
      if (runId === null) return;
      await this.#try(async () => {
        const [detail, history] = await Promise.all([
          this.#api.request('runs.open', { runId }),
          this.#api.request('runs.history', { runId, points: chartPoints }),
        ]);
        if (this.openRunId !== runId) return;
        const isMore = history.asked > 0 && history.asked !== this.history?.asked;
        this.detail = detail;
        this.history = history;
        if (isMore || this.replies.length === 0) await this.#readReplies(runId, history);
      });
    }
  }

  async #readReplies(runId: string, { asked }: RunHistory): Promise<void> {
    if (asked === 0) return;
    const replies = await this.#api.request('runs.replies', { runId, times: repliesShown });
    if (this.openRunId === runId) this.replies = replies;
  }

  #try(action: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, action);
  }
}

/** Replaces the one of this id in its place; a new one stands first. */
function put<Item extends { readonly id: string }>(
  items: readonly Item[],
  item: Item,
): readonly Item[] {
  return items.some(({ id }) => id === item.id)
    ? items.map((each) => (each.id === item.id ? item : each))
    : [item, ...items];
}

function without<Item extends { readonly id: string }>(
  items: readonly Item[],
  id: string,
): readonly Item[] {
  return items.filter((each) => each.id !== id);
}
