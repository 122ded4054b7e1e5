/** One recipe: its folder, what is under way with it, and what a person decides of it. */
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { StudioError, toWireError, known } from '../../shared/errors.ts';
import {
  diversityOf,
  reasonsAgainst,
  type RejectReason,
} from '../../shared/domain/recipe-conversation.ts';
import type {
  Recipe as RecipeView,
  RecipeCluster,
  RecipeEstimate,
  RecipeItem,
  RecipeItemKind,
  RecipePlan,
  RecipeQuality,
  RecipeWriter,
} from '../../shared/domain/recipe.ts';
import { askTrainer } from '../training/trainer-answer.ts';
import type { TrainerRuntime } from '../training/trainer-process.ts';
import { estimateOf } from './estimate.ts';
import type { AcceptedConversation } from './data-file.ts';
import { likenessOf, planGroups, worstFitting } from './groups.ts';
import { Journal, kindOf, type ItemState } from './journal.ts';
import type { Prompts } from './prompts.ts';
import type { RecipeFolder, RecipePicture, RecipeRecord } from './recipe-folder.ts';
import { writeAll } from './write-all.ts';
import type { Writer, WritingRequest, WrittenAnswer } from './writer.ts';

export interface RecipeParts {
  readonly clock: Clock;
  readonly prompts: Prompts;
  /** @throws StudioError `unsupported` where no trainer is set up */
  readonly runtime: () => TrainerRuntime;
  readonly writer: (writer: RecipeWriter) => Writer;
  readonly onChange: (recipe: RecipeView) => void;
}

const seenSchema = z.object({ event: z.literal('seen'), skipped: z.number() });
const clusteredSchema = z.object({ event: z.literal('clustered') });
/** Of a cluster, as it is shown. */
const picturesShown = 6;
const clustersShown = 40;

export class Recipe {
  readonly folder: RecipeFolder;
  readonly #parts: RecipeParts;
  readonly #journal: Journal;
  #record: RecipeRecord;
  #pictures: readonly RecipePicture[];
  #clusters: readonly number[] | null;
  #groups: readonly (readonly number[])[];
  #task: AbortController | null = null;
  #state: RecipeView['state'] = 'resting';
  #progress: RecipeView['progress'] = null;
  #waitsUntil: number | null = null;

  constructor(folder: RecipeFolder, parts: RecipeParts) {
    this.folder = folder;
    this.#parts = parts;
    this.#record = folder.readRecord();
    this.#pictures = folder.pictures();
    this.#clusters = folder.clusters();
    this.#groups = folder.groups();
    this.#journal = new Journal(
      folder.journal,
      () => parts.clock.now(),
      (number, text) => reasonsAgainst(text, this.#captions(number)),
    );
  }

  get id(): string {
    return this.#record.id;
  }

  get plan(): RecipePlan {
    return this.#record.plan;
  }

  view(): RecipeView {
    const { id, plan, createdAt, skipped, trouble, confirmed } = this.#record;
    const { prompt, reply, answers } = this.#journal.totals;
    return {
      ...{ id, plan, createdAt, state: this.#state, progress: this.#progress },
      pictures: this.#isSeen
        ? { count: this.#pictures.length, skipped, compared: this.#isCompared }
        : null,
      clusters: this.#isSeen ? this.#sizes() : null,
      counts: this.#counts(),
      reasons: this.#journal.reasons,
      tokens: { prompt, reply, answers },
      ...{ trouble, confirmed, waitsUntil: this.#waitsUntil, canUndo: this.#journal.canUndo },
    };
  }

  /** What may differ from now on. */
  change(change: Partial<Pick<RecipePlan, 'settings' | 'writer' | 'price'>>): void {
    this.#refuseBusy();
    const plan = { ...this.plan, ...change };
    if (this.#journal.totals.answers > 0 && plan.settings.seed !== this.plan.settings.seed) {
      throw new StudioError(
        'bad-input',
        'The seed settles the pictures: conversations are written by it already.',
      );
    }
    const isOther = JSON.stringify(plan.settings) !== JSON.stringify(this.plan.settings);
    // Nothing is written yet: pictures are put together anew.
    if (isOther && this.#journal.totals.answers === 0) this.#groups = [];
    this.#keep({ plan });
  }

  /**
   * Looks at the pictures, or goes on with it, and puts them into clusters. Refuses at once; once begun it never rejects:
   * what went wrong is its trouble.
   */
  look(): Promise<void> {
    if (this.#journal.totals.answers > 0) {
      const message =
        'Conversations are written of these clusters already: make another recipe for others.';
      throw new StudioError('bad-input', message);
    }
    return this.#do('looking', async (signal) => {
      const { data, eyes, settings } = this.plan;
      const images = data.images === null ? [] : ['--images', data.images];
      const out = ['--out', this.folder.folder, '--eyes', eyes];
      const { skipped } = await this.#ask(
        signal,
        'recipe_pictures',
        [data.path, ...out, ...images],
        seenSchema,
      );
      const many = ['--clusters', String(settings.clusters ?? 0), '--seed', String(settings.seed)];
      await this.#ask(signal, 'clusters', [this.folder.folder, ...many], clusteredSchema);
      this.#pictures = this.folder.pictures();
      this.#clusters = this.folder.clusters();
      this.#groups = [];
      this.#keep({ skipped });
    });
  }

  /** Some pictures of each cluster, the largest cluster first. */
  clusters(): RecipeCluster[] {
    return this.#sizes()
      .slice(0, clustersShown)
      .map((size, cluster) => ({
        size,
        pictures: this.#pictures
          .filter((_, at) => this.#clusters?.[at] === cluster)
          .slice(0, picturesShown)
          .map(({ number, caption }) => ({ caption, src: this.folder.pictureAddress(number) })),
      }));
  }

  estimate(): RecipeEstimate {
    this.#settleGroups();
    const left = this.#left();
    const shown = left.slice(0, 20).map((number) => this.#request(number));
    const { totals, items } = { totals: this.#journal.totals, items: this.#journal.items() };
    const taken = items.filter(({ text, reasons }) => text !== null && reasons.length === 0).length;
    return estimateOf(this.plan, left.length, shown, { ...totals, taken });
  }

  /**
   * Writes what is not written yet. Refuses at once; once begun it never rejects: what stopped it is its trouble.
   * @param sendTo the address that the person said yes to; null where nothing leaves the app
   * @param most conversations of this go; null: all
   */
  write(sendTo: string | null, most: number | null): Promise<void> {
    const { writer } = this.plan;
    const address = writer.kind === 'server' ? writer.address : null;
    if (address !== sendTo) {
      throw new StudioError(
        'bad-input',
        `Captions would go to ${address ?? 'the app’s own model'}, which nobody said yes to.`,
      );
    }
    this.#settleGroups();
    return this.#do('writing', async (signal) => {
      this.#keep({ confirmed: address });
      const queue = this.#left().slice(0, most ?? undefined);
      this.#tell({ done: 0, total: queue.length });
      const trouble = await this.#writeAll(queue, signal);
      this.#keep({ trouble });
    });
  }

  async #writeAll(queue: number[], signal: AbortSignal) {
    const { clock, writer } = this.#parts;
    const { settings } = this.plan;
    const total = queue.length;
    let done = 0;
    const again = (number: number): void => {
      if (kindOf(this.#journal.item(number), settings.tries) === null) queue.push(number);
      else done += 1;
      this.#tell({ done, total });
    };
    return writeAll({
      ...{ writer: writer(this.plan.writer), clock, signal, atOnce: settings.atOnce },
      next: () => queue.shift() ?? null,
      request: (number) => this.#request(number),
      answered: (number, answer, seconds) => {
        this.#answered(number, answer, seconds);
        again(number);
      },
      failed: (number, message) => {
        this.#journal.add({ kind: 'failed', number, message });
        again(number);
      },
      givenBack: (number) => void queue.unshift(number),
      waits: (until) => {
        this.#waitsUntil = until;
        this.#tell(this.#progress);
      },
    });
  }

  #answered(number: number, answer: WrittenAnswer, seconds: number): void {
    const { text, promptTokens, replyTokens, isCut } = answer;
    const reasons: RejectReason[] = [...reasonsAgainst(text, this.#captions(number))];
    if (isCut) reasons.push('cut');
    this.#journal.add({
      kind: 'answer',
      number,
      text,
      reasons,
      promptTokens,
      replyTokens,
      seconds,
    });
  }

  /** Tries those again that were left out. */
  again(): void {
    this.#refuseBusy();
    this.#journal.add({ kind: 'again' });
    this.#changed();
  }

  pause(): void {
    this.#task?.abort(new StudioError('cancelled', 'It was stopped.'));
  }

  items(kind: RecipeItemKind, from: number, count: number): RecipeItem[] {
    const { tries } = this.plan.settings;
    return this.#journal
      .items()
      .filter((item) => kindOf(item, tries) === kind)
      .slice(from, from + count)
      .map((item) => this.#shown(item));
  }

  /** @throws StudioError `bad-input` where what would be accepted is against the rules */
  judge(number: number, verdict: 'accepted' | 'rejected' | null): RecipeItem {
    const item = this.#known(number);
    if (verdict === 'accepted' && (item.text === null || item.reasons.length > 0)) {
      throw new StudioError('bad-input', 'It is against the rules as it stands: edit it first.');
    }
    this.#journal.add({ kind: 'verdict', number, verdict });
    return this.#after(number);
  }

  edit(number: number, text: string): RecipeItem {
    this.#known(number);
    this.#journal.add({ kind: 'edit', number, text });
    return this.#after(number);
  }

  undo(): RecipeItem | null {
    const number = this.#journal.undo();
    return number === null ? null : this.#after(number);
  }

  /** Gives a conversation to the language model as an example from now on. */
  makeExample(number: number): void {
    const { text } = this.#known(number);
    if (text === null)
      throw new StudioError('bad-input', 'There is no conversation to learn from.');
    const name = `from-${this.id.slice(0, 8)}-${number}`;
    this.#parts.prompts.addExample(name, this.#captions(number), text);
  }

  accepted(): AcceptedConversation[] {
    return this.#journal
      .items()
      .flatMap(({ verdict, text, number }) =>
        verdict === 'accepted' && text !== null ? [{ text, pictures: this.#of(number) }] : [],
      );
  }

  /** By numbers: asked for when something was judged, not with every change. */
  quality(): RecipeQuality {
    const accepted = this.accepted();
    const all = likenessOf(this.#pictures);
    const own = likenessOf(accepted.flatMap(({ pictures }) => pictures));
    return {
      diversity: diversityOf(accepted.map(({ text }) => text)),
      likeness: all === null ? null : { all, accepted: own },
    };
  }

  get isBusy(): boolean {
    return this.#task !== null;
  }

  get #isSeen(): boolean {
    return this.#clusters !== null && this.#clusters.length === this.#pictures.length;
  }

  get #isCompared(): boolean {
    return this.#pictures.some(({ likeness }) => likeness !== null);
  }

  #sizes(): number[] {
    const sizes: number[] = [];
    for (const cluster of this.#clusters ?? []) sizes[cluster] = (sizes[cluster] ?? 0) + 1;
    return Array.from(sizes, (size) => size ?? 0);
  }

  #counts(): RecipeView['counts'] {
    const { count, tries } = this.plan.settings;
    const items = this.#journal.items();
    const piles = items.map((item) => ({ kind: kindOf(item, tries), hasText: item.text !== null }));
    const many = (kind: RecipeItemKind): number =>
      piles.filter((each) => each.kind === kind).length;
    const leftOut = piles.filter(({ kind }) => kind === 'left-out');
    const written = piles.filter(({ kind }) => kind !== null).length;
    return {
      toReview: many('to-review'),
      accepted: many('accepted'),
      rejected: many('rejected'),
      filtered: leftOut.filter(({ hasText }) => hasText).length,
      failed: leftOut.filter(({ hasText }) => !hasText).length,
      toWrite: Math.max(0, count - written),
    };
  }

  /** Conversations to ask for, in order. */
  #left(): number[] {
    const { count, tries } = this.plan.settings;
    return Array.from({ length: count }, (_, number) => number).filter(
      (number) => kindOf(this.#journal.item(number), tries) === null,
    );
  }

  /** Which pictures make each conversation: written down before the first is asked for, and never changed. */
  #settleGroups(): void {
    if (!this.#isSeen) throw new StudioError('bad-input', 'Its pictures were not looked at yet.');
    const { count, least, most, leaveOut, seed } = this.plan.settings;
    if (this.#groups.length >= count) return;
    const without = worstFitting(
      this.#pictures.map(({ likeness }) => likeness),
      leaveOut,
    );
    const planned = planGroups({ of: this.#clusters ?? [], without, least, most, count, seed });
    this.#groups = [...this.#groups, ...planned.slice(this.#groups.length)];
    this.folder.writeGroups(this.#groups);
  }

  #of(number: number): RecipePicture[] {
    return (this.#groups[number] ?? []).map((at) => known(this.#pictures[at], `picture ${at}`));
  }

  #captions(number: number): string[] {
    return this.#of(number).map(({ caption }) => caption);
  }

  #request(number: number): WritingRequest {
    const { maxTokens, temperature, seed } = this.plan.settings;
    const { tries } = this.#journal.item(number);
    const prompt = this.#parts.prompts.build(this.#captions(number), number);
    // Another try with the same seed would be the same answer.
    return { ...prompt, maxTokens, temperature, seed: (seed + number * 101 + tries) % 0x7fff_ffff };
  }

  #known(number: number): ItemState {
    const item = this.#journal.item(number);
    if (item.text === null && item.failure === null) {
      throw new StudioError('not-found', `There is no conversation ${number} yet.`);
    }
    return item;
  }

  #after(number: number): RecipeItem {
    this.#changed();
    return this.#shown(this.#journal.item(number));
  }

  #shown({ number, text, edited, reasons, failure, verdict }: ItemState): RecipeItem {
    const pictures = this.#of(number).map(({ number: picture, caption, likeness }, at) => ({
      ...{ number: at, caption, likeness, src: this.folder.pictureAddress(picture) },
    }));
    return { number, text: text ?? '', edited, reasons: [...reasons], failure, verdict, pictures };
  }

  #refuseBusy(): void {
    if (this.#task !== null) throw new StudioError('busy', `"${this.plan.name}" is under way.`);
  }

  /** One thing at a time; what stops it is its trouble, but for the person. */
  #do(state: RecipeView['state'], work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#refuseBusy();
    return this.#run(state, work);
  }

  async #run(
    state: RecipeView['state'],
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const task = new AbortController();
    this.#task = task;
    this.#state = state;
    this.#keep({ trouble: null });
    try {
      await work(task.signal);
    } catch (error) {
      if (!task.signal.aborted) {
        this.#keep({ trouble: { message: toWireError(error).message, remedy: '' } });
      }
    } finally {
      this.#task = null;
      this.#state = 'resting';
      this.#waitsUntil = null;
      this.#tell(null);
    }
  }

  async #ask<S extends z.ZodType>(
    signal: AbortSignal,
    module: string,
    args: readonly string[],
    schema: S,
  ): Promise<z.output<S>> {
    const question = askTrainer(this.#parts.runtime(), module, args, schema, (done, total) =>
      this.#tell({ done, total }),
    );
    const stop = (): void => question.stop();
    signal.addEventListener('abort', stop);
    try {
      return await question.answer;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #keep(change: Partial<RecipeRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.folder.writeRecord(this.#record);
    this.#changed();
  }

  #tell(progress: RecipeView['progress']): void {
    this.#progress = progress;
    this.#changed();
  }

  #changed(): void {
    this.#parts.onChange(this.view());
  }
}
