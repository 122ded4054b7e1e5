/**
 * Downloads that a person said yes to: one after the other, kept on the disk, gone on with after anything. Nothing is
 * asked of the network but in `look`, and for what was said yes to; what the app was closed over waits to be pressed.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { partsOfSystem, type ReadCatalogue } from '../../library/catalogue.ts';
import { isPartFolder } from '../../library/parts.ts';
import { cudaPartId } from '../../shared/cuda.ts';
import type { CataloguePart } from '../../shared/domain/catalogue.ts';
import type {
  DownloadOffer,
  DownloadState,
  DownloadStatus,
  DownloadStorage,
  DownloadWant,
} from '../../shared/domain/download.ts';
import { StudioError, toWireError, reasonOf } from '../../shared/errors.ts';
import { DownloadFault } from './fault.ts';
import type { Limits } from './fetch-file.ts';
import type { HubReach } from './hub.ts';
import { readJobs, removeJob, saveJob, type Job } from './job.ts';
import { bytesOf, freeBytesAt, receivedOf } from './job-size.ts';
import { lookAtPart, type LookedPart } from './look.ts';
import { runJob } from './run-job.ts';
import { Speed } from './speed.ts';
import type { TokenKeeper } from './token.ts';

/** How often the window is told, milliseconds. */
const tellMs = 250;
/** Between two tries while the network is away: doubled each time, up to the last. Milliseconds. */
const retryMs = { first: 5000, last: 60_000 } as const;

export interface DownloadServiceOptions {
  readonly folders: { readonly jobs: string; readonly parts: string };
  readonly catalogue: () => ReadCatalogue;
  /** CUDA's provider for this engine; null where none is offered. */
  readonly provider: () => Promise<CataloguePart | null>;
  readonly network: () => { readonly hub: string; readonly proxy: string | null };
  readonly token: TokenKeeper;
  /** Makes a model of a system whose parts are whole; gives its folder. */
  readonly build: (job: Job, signal: AbortSignal) => Promise<string>;
  readonly onStatus: (downloads: readonly DownloadStatus[]) => void;
  /** Something was added to what is on the disk. */
  readonly onDone: () => void;
  readonly limits: Limits;
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** Refuses where a drive that holds parts does not answer. */
  readonly reachParts?: () => Promise<void>;
}

/** A download and what happens to it while the app runs. */
interface Live {
  job: Job;
  state: DownloadState;
  reason: string | null;
  received: number;
  file: string | null;
  retry: Timer | null;
  retryAt: number | null;
  failures: number;
  readonly speed: Speed;
}

export class DownloadService {
  readonly #options: DownloadServiceOptions;
  readonly #offers = new Map<string, { readonly offer: DownloadOffer; readonly job: Job }>();
  #downloads: Live[] = [];
  #running: { readonly live: Live; readonly abort: AbortController; ended: Promise<void> } | null =
    null;
  #telling: Timer | null = null;
  #looking: AbortController | null = null;
  #closed = false;

  constructor(options: DownloadServiceOptions) {
    this.#options = options;
  }

  /**
   * Reads what was there when the app was closed. Asks nobody for anything.
   * @param roots folders elsewhere in which parts are looked for
   */
  restore(roots?: readonly string[]): void {
    const { folders, log } = this.#options;
    const jobs = readJobs(folders.jobs, (fault) => log.warn('download cannot be read', { fault }));
    this.#downloads = jobs.map((job) => ({
      ...toLive(job),
      state: job.state === 'open' ? 'paused' : job.state,
      reason: job.state === 'open' ? 'It was under way when the app was closed.' : job.reason,
      received: receivedOf(job, folders.parts, roots),
    }));
    this.#tell();
  }

  list(): readonly DownloadStatus[] {
    return this.#downloads.map((live) => this.#statusOf(live));
  }

  /**
   * Asks the hub for something of the catalogue: sizes, licences, what is here already. Nothing is fetched.
   * @throws {StudioError} with what stands in the way
   */
  async look(entryId: string): Promise<DownloadOffer> {
    const { parts, system, name } = await this.#entry(entryId);
    this.#looking?.abort();
    this.#looking = new AbortController();
    const { signal } = this.#looking;
    const source = parts[0]?.source ?? null;
    const reach = this.#reach(signal, source === null ? null : new URL(source.feed).origin);
    const { folders } = this.#options;
    try {
      await this.#options.reachParts?.();
      const looked: LookedPart[] = [];
      for (const part of parts) looked.push(await lookAtPart(part, folders.parts, reach));
      const offer = await this.#offer(entryId, name, looked, reach.hub);
      const job: Job = {
        ...{ id: randomUUID(), entryId, name, hub: reach.hub, system },
        parts: looked.map(({ part, commit, folder, files }) => ({ part, commit, folder, files })),
        order: this.#options.clock.now(),
        ...{ acceptedAt: 0, state: 'open', reason: null, wants: null },
        ...{ modelFolder: null, storage: 'refer' },
      };
      this.#offers.set(offer.offerId, { offer, job });
      return offer;
    } catch (error) {
      if (signal.aborted) throw new StudioError('cancelled', 'It was stopped.');
      throw asStudioError(error);
    }
  }

  /** Ends a `look` that is under way. */
  stopLooking(): void {
    this.#looking?.abort();
  }

  /** Begins what was offered; the licences are accepted by that. */
  start(offerId: string, storage: DownloadStorage = 'refer'): DownloadStatus {
    const offered = this.#offers.get(offerId);
    if (offered === undefined) throw new StudioError('not-found', 'Look at it again first.');
    this.#offers.delete(offerId);
    const { entryId } = offered.job;
    const before = this.#downloads.find(
      ({ job, state }) => job.entryId === entryId && state !== 'done',
    );
    if (before !== undefined) {
      throw new StudioError('bad-input', `${before.job.name} is in the list already.`);
    }
    const job: Job = { ...offered.job, storage, acceptedAt: this.#options.clock.now() };
    this.#downloads = this.#downloads.filter((each) => each.job.entryId !== entryId);
    const live: Live = { ...toLive(job), received: receivedOf(job, this.#options.folders.parts) };
    this.#downloads.push(live);
    this.#save(live);
    this.#next();
    return this.#statusOf(live);
  }

  async pause(downloadId: string): Promise<void> {
    const live = this.#find(downloadId);
    if (live.state === 'done') return;
    live.retry?.cancel();
    this.#put(live, 'paused', null);
    if (this.#running?.live === live) await this.#end();
    this.#next();
  }

  /** Goes on, from what is there. */
  resume(downloadId: string): void {
    const live = this.#find(downloadId);
    const isRunning = this.#running?.live === live;
    if (live.state === 'done' || (isRunning && live.state !== 'waiting')) return;
    live.retry?.cancel();
    live.failures = 0;
    this.#put(live, 'queued', null);
    // One that holds on until its time has come begins anew, at once.
    if (isRunning) void this.#end();
    else this.#next();
  }

  /** Forgets it, and deletes what came of it. Parts that became whole stay: they are good for others. */
  async cancel(downloadId: string): Promise<void> {
    const live = this.#find(downloadId);
    live.retry?.cancel();
    this.#downloads = this.#downloads.filter((each) => each !== live);
    if (this.#running?.live === live) await this.#end();
    const { folders } = this.#options;
    removeJob(folders.jobs, live.job.id);
    for (const { folder } of live.job.parts) {
      const place = path.join(folders.parts, folder);
      if (!isPartFolder(place) && !this.#isWanted(folder)) {
        rmSync(place, { recursive: true, force: true });
      }
    }
    this.#tell();
    this.#next();
  }

  /** Puts it before or behind its neighbour in the list. */
  move(downloadId: string, by: -1 | 1): void {
    const at = this.#downloads.indexOf(this.#find(downloadId));
    const [live, other] = [this.#downloads[at], this.#downloads[at + by]];
    if (live === undefined || other === undefined) return;
    const { order } = live.job;
    live.job = { ...live.job, order: other.job.order };
    other.job = { ...other.job, order };
    this.#downloads.sort((a, b) => a.job.order - b.job.order);
    this.#save(live);
    this.#save(other);
    this.#tell();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#telling?.cancel();
    this.#looking?.abort();
    for (const { retry } of this.#downloads) retry?.cancel();
    await this.#end();
  }

  async #entry(entryId: string) {
    const provider = entryId === cudaPartId ? await this.#options.provider() : null;
    if (provider !== null) return { system: null, name: provider.name, parts: [provider] };
    const { parts, systems } = this.#options.catalogue();
    const system = systems.find(({ id }) => id === entryId) ?? null;
    if (system !== null) return { system, name: system.name, parts: partsOfSystem(system, parts) };
    const part = parts.find(({ id }) => id === entryId);
    if (part !== undefined) return { system: null, name: part.name, parts: [part] };
    throw new StudioError('not-found', `The catalogue has no ${entryId}.`);
  }

  async #offer(
    entryId: string,
    name: string,
    looked: readonly LookedPart[],
    hub: string,
  ): Promise<DownloadOffer> {
    const { limits, folders, token } = this.#options;
    return {
      offerId: randomUUID(),
      entryId,
      name,
      host: new URL(hub).host,
      parts: looked.map(({ part, commit, files, bytes, isHere, hubLicence, gated }) => ({
        ...{ partId: part.id, role: part.role, name: part.name, repository: part.repository },
        ...{ commit, files: files.length, bytes, isHere, licence: part.licence, hubLicence, gated },
      })),
      bytes: looked.reduce((sum, { bytes, isHere }) => sum + (isHere ? 0 : bytes), 0),
      freeBytes: await this.#freeBytes(folders.parts),
      reserveBytes: limits.reserveBytes,
      needsToken: looked.some(({ gated, isHere }) => gated && !isHere) && !token.has,
    };
  }

  /** @param feed of packages, which the hub's token is nothing for; null for a hub */
  #reach(signal: AbortSignal, feed: string | null, hub = this.#options.network().hub): HubReach {
    const { silenceMs, network, token } = this.#options;
    const said = token.has && feed === null ? token.read() : null;
    const headers = said === null ? {} : { authorization: `Bearer ${said}` };
    return { hub: feed ?? hub, headers, proxy: network().proxy, silenceMs, signal };
  }

  #find(downloadId: string): Live {
    const live = this.#downloads.find(({ job }) => job.id === downloadId);
    if (live === undefined) throw new StudioError('not-found', 'This download is not in the list.');
    return live;
  }

  #isWanted(folder: string): boolean {
    return this.#downloads.some(({ job }) => job.parts.some((part) => part.folder === folder));
  }

  /** Begins the first that waits for its turn, where none runs. */
  #next(): void {
    if (this.#closed || this.#running !== null) return;
    const live = this.#downloads.find(({ state }) => state === 'queued');
    if (live === undefined) return;
    const abort = new AbortController();
    const running = { live, abort, ended: Promise.resolve() };
    this.#running = running;
    running.ended = this.#run(live, abort.signal).finally(() => {
      if (this.#running === running) this.#running = null;
      live.speed.forget();
      this.#tell();
      this.#next();
    });
  }

  async #end(): Promise<void> {
    const running = this.#running;
    running?.abort.abort(new StudioError('cancelled', 'It was stopped.'));
    await running?.ended;
  }

  async #run(live: Live, signal: AbortSignal): Promise<void> {
    const { folders, limits, clock, log, build } = this.#options;
    const isPackage = live.job.parts.some(({ part }) => part.source !== null);
    this.#put(live, 'fetching', null);
    try {
      await this.#options.reachParts?.();
      await runJob(live.job, {
        partsFolder: folders.parts,
        limits,
        reach: this.#reach(signal, isPackage ? live.job.hub : null, live.job.hub),
        freeBytes: (folder) => this.#freeBytes(folder),
        wait: (ms) => waitFor(clock, ms, signal),
        onReceived: (received, file) => this.#received(live, received, file),
        onChecking: () => this.#put(live, 'checking', null),
        onRetry: ({ message }, waitMs) => this.#waits(live, message, waitMs),
        onPlan: (job) => {
          live.job = job;
          this.#save(live);
        },
      });
      live.file = null;
      if (live.job.system !== null) {
        this.#put(live, 'building', null);
        live.job = { ...live.job, modelFolder: await build(live.job, signal) };
      }
      this.#put(live, 'done', null);
      this.#options.onDone();
    } catch (error) {
      if (signal.aborted) return;
      log.warn('download stopped', { name: live.job.name, reason: toWireError(error).detail });
      this.#failed(live, error);
    }
  }

  #received(live: Live, received: number, file: string): void {
    if (received > live.received) this.#comes(live);
    live.received = received;
    live.file = file;
    live.speed.note(this.#options.clock.monotonicMs(), received);
    if (live.state === 'checking') live.state = 'fetching';
    this.#tell();
  }

  #comes(live: Live): void {
    live.failures = 0;
    if (live.state !== 'waiting') return;
    Object.assign(live, { state: 'fetching', reason: null, retryAt: null } satisfies Partial<Live>);
  }

  /** The network is away or the hub is busy, and the download holds on. */
  #waits(live: Live, reason: string, waitMs: number): void {
    if (live.state !== 'fetching' && live.state !== 'waiting') return;
    const retryAt = this.#options.clock.monotonicMs() + waitMs;
    Object.assign(live, { state: 'waiting', reason, retryAt } satisfies Partial<Live>);
    this.#tell();
  }

  #failed(live: Live, error: unknown): void {
    const message = reasonOf(error);
    if (!(error instanceof DownloadFault) || error.kind !== 'network') {
      return this.#put(live, 'stopped', message, wantOf(error, live.job));
    }
    live.failures += 1;
    const own = Math.min(retryMs.last, retryMs.first * 2 ** (live.failures - 1));
    const delayMs = Math.max(own, Math.min(error.waitMs ?? 0, 10 * retryMs.last));
    this.#put(live, 'waiting', message);
    live.retryAt = this.#options.clock.monotonicMs() + delayMs;
    live.retry = this.#options.clock.after(delayMs, () => {
      if (live.state !== 'waiting') return;
      this.#put(live, 'queued', null);
      this.#next();
    });
  }

  #put(
    live: Live,
    state: DownloadState,
    reason: string | null,
    wants: DownloadWant | null = null,
  ): void {
    live.state = state;
    live.reason = reason;
    live.job = { ...live.job, wants };
    live.retryAt = null;
    this.#save(live);
    this.#tell();
  }

  #save(live: Live): void {
    const { state, reason, job } = live;
    const kept = state === 'done' || state === 'stopped' ? state : 'open';
    live.job = { ...job, state: kept, reason };
    if (this.#downloads.includes(live)) saveJob(this.#options.folders.jobs, live.job);
  }

  #statusOf(live: Live): DownloadStatus {
    const { job, state, reason, received, file, retryAt } = live;
    const now = this.#options.clock.monotonicMs();
    const bytes = bytesOf(job);
    const speed = state === 'fetching' ? live.speed.perSecond(now) : null;
    return {
      downloadId: job.id,
      entryId: job.entryId,
      name: job.name,
      host: new URL(job.hub).host,
      ...{ state, reason, wants: job.wants, bytes, received, file },
      bytesPerSecond: speed,
      secondsLeft: speed === null || speed === 0 ? null : (bytes - received) / speed,
      retryInMs: retryAt === null ? null : Math.max(0, Math.round(retryAt - now)),
      modelFolder: job.modelFolder,
    };
  }

  /** Not more often than a person sees. */
  #tell(): void {
    if (this.#closed || this.#telling !== null) return;
    this.#telling = this.#options.clock.after(tellMs, () => {
      this.#telling = null;
      this.#options.onStatus(this.list());
    });
  }

  async #freeBytes(folder: string): Promise<number> {
    return (this.#options.freeBytes ?? freeBytesAt)(folder);
  }
}

/** Terms are on the page of the part that is gated. */
function wantOf(error: unknown, { hub, parts }: Job): DownloadWant | null {
  const kind = error instanceof DownloadFault ? error.wants : null;
  const part = (parts.find((each) => each.part.gated) ?? parts[0])?.part;
  if (kind === null || part === undefined) return null;
  return { kind, page: part.licence.address ?? `${hub}/${part.repository}` };
}

function toLive(job: Job): Live {
  const own = { retry: null, retryAt: null, failures: 0, file: null, speed: new Speed() };
  return { job, state: 'queued', reason: null, received: 0, ...own };
}

function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function asStudioError(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  const message = reasonOf(error);
  const kind =
    error instanceof DownloadFault && error.kind === 'gone' ? 'not-found' : 'unsupported';
  return new StudioError(kind, message, { cause: error });
}
