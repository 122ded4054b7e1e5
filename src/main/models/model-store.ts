/** The models that a person has: added from what they bring or from what was fetched, checked, renamed, deleted. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { manifestName, readManifest } from '../../library/model-folder.ts';
import { homeOf } from '../../library/model-home.ts';
import { isWithin, placesOf } from '../../library/model-places.ts';
import { bytesOfPlaces, noSilence, silentWords, type Silence } from '../../library/models.ts';
import { hasUnreadable, partUse, usedParts, usersOf, type PartUse } from '../../library/part-use.ts';
import { partRoots, placeOfPart, readPart } from '../../library/parts.ts';
import { freeName } from '../../library/publish.ts';
import { cudaLinksName } from '../../shared/cuda.ts';
import { isStudioError, StudioError } from '../../shared/errors.ts';
import { gigabytes } from '../../shared/words.ts';
import type {
  FoundPart,
  ImportOutcome,
  ImportProgress,
  ModelImport,
} from '../../shared/domain/model-import.ts';
import { freeBytesAt } from '../downloads/job-size.ts';
import type { Job } from '../downloads/job.ts';
import type { ConversionProcess } from '../processes/conversion-process.ts';
import {
  abandonMove,
  itemsOf,
  moveModel,
  movingModels,
  placesAt,
  placesOfMove,
  settleMove,
  type MovePlan,
} from './move-model.ts';
import { verifyPart } from './verify-part.ts';

export interface ModelStoreOptions {
  readonly models: string;
  readonly parts: string;
  readonly conversion: Pick<ConversionProcess, 'ask'>;
  /** Which places are not to be touched; where it is left out, none. */
  readonly silence?: Silence;
  readonly onImporting: (progress: ImportProgress) => void;
  /** Models have other places now: what has one of them open opens it anew. */
  readonly onMoved: (folders: readonly string[]) => Promise<void>;
  /** What is on the disk changed. */
  readonly onChange: () => void;
}

/** What deleting a model takes away. */
export interface Removal {
  /** Of its own folder. */
  readonly ownBytes: number;
  readonly parts: readonly PartUse[];
}

/** What moving a model takes along. */
export interface MoveOffer {
  readonly plan: MovePlan;
  /** Parts that other models use as well. */
  readonly shared: readonly PartUse[];
  readonly freeBytes: number;
}

export class ModelStore {
  readonly #options: ModelStoreOptions;
  #importing: AbortController | null = null;
  #verifying: AbortController | null = null;
  #moving: { readonly folder: string; readonly abort: AbortController } | null = null;

  constructor(options: ModelStoreOptions) {
    this.#options = options;
  }

  async recognise(places: readonly string[]): Promise<FoundPart[]> {
    const { conversion } = this.#options;
    await this.#refuseSilent(places);
    return (await conversion.ask('models.recognise', { places: [...places] })).found;
  }

  async cost(sources: ModelImport['sources'], storage: ModelImport['storage']) {
    const { conversion, models } = this.#options;
    const cost = await conversion.ask('models.cost', { sources, storage });
    return { ...cost, freeBytes: await freeBytesAt(models) };
  }

  /** Adds a model of parts. @throws {StudioError} `busy` while another is added */
  async import(request: ModelImport): Promise<ImportOutcome> {
    if (this.#importing !== null) {
      throw new StudioError('busy', 'Another model is being added; wait for it, or stop it.');
    }
    this.#importing = new AbortController();
    try {
      return await this.#import(request, this.#importing.signal);
    } finally {
      this.#importing = null;
    }
  }

  stopImport(): void {
    this.#importing?.abort();
  }

  /** Puts the parts of a finished download together. @returns the model's folder */
  async build({ system, name, parts, storage }: Job, signal: AbortSignal): Promise<string> {
    if (system === null) throw new StudioError('internal', 'A part alone is no model.');
    const place = (role: string, file?: string): string | null => {
      const found = parts.find(({ part }) => part.role === role);
      if (found === undefined) return null;
      const whole = placeOfPart(this.#options.parts, found.folder);
      return file === undefined ? whole : path.join(whole, file);
    };
    const tensors = parts.find(({ part }) => part.role === 'vision')?.part.tensors ?? null;
    const weights = parts.find(({ part }) => part.role === 'checkpoint')?.files[0]?.path;
    const licences = [...new Set(parts.map(({ part }) => `${part.name}: ${part.licence.name}`))];
    const outcome = await this.#import(
      {
        sources: {
          vision: place('vision') ?? '',
          language: place('language') ?? '',
          // The Q-Former's keys come with the vision encoder where only some tensors were fetched.
          qformer: tensors === null ? null : place('vision', tensors.file),
          checkpoint: place('checkpoint', weights),
          processor: null,
          base: place('image-decoder'),
          refiner: place('refiner'),
        },
        storage,
        name,
        licence: licences.join('; '),
        sizes: system.manifest,
        guidance: system.guidance,
      },
      signal,
    );
    if (outcome.ok) return outcome.folder;
    throw new StudioError('model-invalid', outcome.message);
  }

  /** @throws {StudioError} `bad-input` for a folder that is not one of the person's models */
  rename(folder: string, name: string): void {
    this.#own(folder);
    this.#refuseMoving();
    writeJsonFileSync(path.join(folder, manifestName), { ...readManifest(folder), name });
    this.#options.onChange();
  }

  async removal(folder: string): Promise<Removal> {
    this.#own(folder);
    await this.#refuseSilentModel(folder);
    return this.#used(folder);
  }

  /**
   * What moving a model would take along, and what stays because other models use it.
   * @param target a folder; null for the app's own folders
   */
  async movePlan(folder: string, target: string | null, withShared: boolean): Promise<MoveOffer> {
    this.#own(folder);
    if (target !== null) {
      await this.#refuseSilent([target]);
      this.#checkTarget(target);
    }
    await this.#refuseSilentModel(folder);
    const { models, parts } = this.#options;
    const { parts: used } = await this.#used(folder);
    const shared = used.filter(({ usedBy }) => usedBy.length > 0);
    const goes = used.filter(
      ({ usedBy }) => usedBy.length === 0 || (withShared && !hasUnreadable(models)),
    );
    const places = placesAt(folder, target);
    const going = goes.map((part) => part.folder);
    const items = itemsOf(folder, going, places, parts);
    const from = items.map((item) => item.from);
    const users = [folder, ...usersOf(models, from)];
    const plan = { model: folder, items, users: [...new Set(users)], ...places };
    const root = target ?? path.dirname(models);
    const free = await freeBytesAt(root);
    return { plan: { ...plan, bytes: await bytesOfPlaces(from) }, shared, freeBytes: free };
  }

  /** Moves a model; told by `onBytes`. @throws {StudioError} and then nothing has changed */
  async move(
    folder: string,
    target: string | null,
    { withShared, onBytes }: { withShared: boolean; onBytes: (bytes: number) => void },
  ): Promise<void> {
    if (this.#moving !== null || this.#importing !== null) {
      throw new StudioError('busy', 'Another model is being moved or added; wait for it.');
    }
    const abort = new AbortController();
    this.#moving = { folder, abort };
    try {
      const { plan, freeBytes } = await this.movePlan(folder, target, withShared);
      if (plan.items.length === 0) throw new StudioError('bad-input', 'Nothing of it is to be moved.');
      checkRoom(plan.bytes, freeBytes);
      const { parts, onMoved } = this.#options;
      await moveModel(plan, { parts, signal: abort.signal, onBytes, onSwitched: onMoved });
    } catch (error) {
      if (abort.signal.aborted) throw new StudioError('cancelled', 'It stays where it is.');
      throw error;
    } finally {
      this.#moving = null;
      this.#options.onChange();
    }
  }

  stopMoving(): void {
    this.#moving?.abort.abort(new StudioError('cancelled', 'It was stopped.'));
  }

  /** Ends moves that the app was closed or killed over, but for one to or from a drive that does not answer. */
  async settleMoves(): Promise<void> {
    const { models, parts, onMoved, onChange } = this.#options;
    const moved: string[] = [];
    for (const model of movingModels(models)) {
      if ((await this.#silence(placesOfMove(model))) === null) {
        moved.push(...settleMove(model, parts));
      }
    }
    if (moved.length === 0) return;
    void onMoved(moved);
    onChange();
  }

  /** Deletes a model, and the parts that no other model uses. */
  async remove(folder: string): Promise<void> {
    const { parts } = await this.removal(folder);
    this.#refuseMoving();
    const home = homeOf(folder);
    abandonMove(folder);
    // First what makes it a model: what is cut short is then no broken one.
    rmSync(path.join(folder, manifestName), { force: true });
    rmSync(folder, { recursive: true, force: true });
    if (home !== null) rmSync(home, { recursive: true, force: true });
    for (const part of parts.filter(({ usedBy }) => usedBy.length === 0)) {
      rmSync(part.folder, { recursive: true, force: true });
    }
    this.#options.onChange();
  }

  /** Parts that were fetched, and which models use each; without those on a drive that does not answer. */
  async listParts(): Promise<PartUse[]> {
    const { models, parts } = this.#options;
    return partUse(models, parts, await this.#roots());
  }

  /** @throws {StudioError} `storage` where a drive that parts were moved to does not answer */
  async reachParts(): Promise<void> {
    await this.#refuseSilent(partRoots(this.#options.parts));
  }

  /** Deletes a part that no model uses. @throws {StudioError} `bad-input` where one does */
  async removePart(folder: string): Promise<void> {
    const part = (await this.listParts()).find((each) => each.folder === folder);
    if (part === undefined) throw new StudioError('not-found', `${folder}: there is no such part.`);
    if (part.usedBy.length > 0) {
      throw new StudioError('bad-input', `${part.name} is used by ${part.usedBy.join(', ')}.`);
    }
    this.#refuseMoving();
    rmSync(folder, { recursive: true, force: true });
    if (part.role === 'provider') {
      rmSync(path.join(path.dirname(folder), cudaLinksName), { recursive: true, force: true });
    }
    this.#options.onChange();
  }

  /**
   * Reads every byte of a model's fetched parts and compares it with what the hub said, then looks whether the parts
   * fit together.
   * @returns what is wrong, in sentences; nothing where all is right
   */
  async verify(folder: string, onBytes: (bytes: number) => void): Promise<string[]> {
    this.#refuseMoving();
    this.#verifying?.abort();
    const stop = new AbortController();
    this.#verifying = stop;
    await this.#refuseSilentModel(folder);
    const { parts } = await this.#used(folder);
    const faults: string[] = [];
    let before = 0;
    for (const part of parts) {
      const tell = (bytes: number): void => onBytes(before + bytes);
      faults.push(...(await verifyPart(part.folder, readPart(part.folder), tell, stop.signal)));
      before += part.bytes;
    }
    return faults.length > 0 ? faults : this.#fit(folder, stop.signal);
  }

  stopVerifying(): void {
    this.#verifying?.abort();
  }

  close(): void {
    this.#importing?.abort();
    this.#verifying?.abort();
    this.stopMoving();
  }

  async #import(request: ModelImport, signal: AbortSignal): Promise<ImportOutcome> {
    const { models, conversion, onImporting, onChange } = this.#options;
    this.#refuseMoving();
    mkdirSync(models, { recursive: true });
    await this.#checkSpace(request);
    const out = path.join(models, freeName(models, request.name));
    const body = { request, out };
    const outcome = await conversion.ask('models.import', body, { signal, onEvent: onImporting });
    if (outcome.ok) onChange();
    return outcome;
  }

  /** What does not fit together; also what stands in the way of looking. */
  async #fit(folder: string, signal: AbortSignal): Promise<string[]> {
    try {
      const { faults } = await this.#options.conversion.ask('models.check', { folder }, { signal });
      return faults.map(({ place, says }) => `${place}: ${says}`);
    } catch (error) {
      if (!isStudioError(error, 'model-invalid') && !isStudioError(error, 'unsupported')) throw error;
      return [error.message];
    }
  }

  async #checkSpace({ sources, storage }: ModelImport): Promise<void> {
    const { bytes, freeBytes } = await this.cost(sources, storage);
    checkRoom(bytes, freeBytes);
  }

  /** A folder that can be written to, and none of the app's own. */
  #checkTarget(target: string): void {
    const own = path.dirname(this.#options.models);
    if (!path.isAbsolute(target) || statSync(target, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new StudioError('bad-input', `${target} is no folder.`);
    }
    if (isWithin(path.resolve(target), own)) {
      throw new StudioError('bad-input', 'This is the app’s own folder; choose one on another drive.');
    }
  }

  async #used(folder: string): Promise<Removal> {
    const { models, parts } = this.#options;
    return usedParts(folder, models, parts, await this.#roots());
  }

  /** Folders elsewhere with parts, as far as their drives answer. */
  async #roots(): Promise<string[]> {
    const roots = partRoots(this.#options.parts);
    const silent = await Promise.all(roots.map((root) => this.#silence([root])));
    return roots.filter((_, index) => silent[index] === null);
  }

  async #refuseSilentModel(folder: string): Promise<void> {
    await this.#refuseSilent([...knownPlaces(folder), ...placesOfMove(folder)]);
  }

  async #refuseSilent(places: readonly string[]): Promise<void> {
    const silent = await this.#silence(places);
    if (silent !== null) throw new StudioError('storage', silentWords(silent));
  }

  get #silence(): Silence {
    return this.#options.silence ?? noSilence;
  }

  /** Parts are shared: while one model is on its way, none is changed. */
  #refuseMoving(): void {
    if (this.#moving === null) return;
    throw new StudioError('busy', 'A model is being moved; wait for it, or stop it.');
  }

  #own(folder: string): void {
    if (path.dirname(path.resolve(folder)) === path.resolve(this.#options.models)) return;
    throw new StudioError('bad-input', `${folder} is not one of your models.`);
  }
}

/** Where a model's parts lie; nowhere that is known where its textbind.json cannot be read. */
function knownPlaces(folder: string): string[] {
  try {
    return placesOf(folder, readManifest(folder));
  } catch {
    return [];
  }
}

function checkRoom(bytes: number, freeBytes: number): void {
  if (freeBytes > bytes) return;
  throw new StudioError(
    'storage',
    `It takes ${gigabytes(bytes)}; the disk has ${gigabytes(freeBytes)} free.`,
  );
}
