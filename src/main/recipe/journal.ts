/** What happened to each conversation of a recipe, as lines on the disk: what is not there did not happen. */
import { z } from 'zod';
import { appendJsonLine, readJsonLines } from '../../base/json-lines.ts';
import { rejectReasons, type RejectReason } from '../../shared/domain/recipe-conversation.ts';
import type { RecipeItemKind } from '../../shared/domain/recipe.ts';

const number = z.number().int().nonnegative();
const verdict = z.enum(['accepted', 'rejected']).nullable();

const entrySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answer'),
    at: z.number(),
    number,
    text: z.string(),
    reasons: z.array(z.enum(rejectReasons)),
    promptTokens: z.number(),
    replyTokens: z.number(),
    seconds: z.number(),
  }),
  /** An answer that was none. */
  z.object({ kind: z.literal('failed'), at: z.number(), number, message: z.string() }),
  z.object({ kind: z.literal('again'), at: z.number() }),
  z.object({ kind: z.literal('verdict'), at: z.number(), number, verdict }),
  z.object({ kind: z.literal('edit'), at: z.number(), number, text: z.string() }),
  z.object({ kind: z.literal('undo'), at: z.number() }),
]);
export type JournalEntry = z.infer<typeof entrySchema>;
export type NewEntry = JournalEntry extends infer Each
  ? Each extends JournalEntry
    ? Omit<Each, 'at'>
    : never
  : never;

/** A conversation as it stands. */
export interface ItemState {
  readonly number: number;
  /** Answers that were asked for since the last "again". */
  readonly tries: number;
  /** The last answer, as edited; null where there is none. */
  readonly text: string | null;
  readonly edited: boolean;
  readonly reasons: readonly RejectReason[];
  readonly failure: string | null;
  readonly verdict: 'accepted' | 'rejected' | null;
}

interface Totals {
  readonly prompt: number;
  readonly reply: number;
  readonly answers: number;
  readonly seconds: number;
}

const none = { tries: 0, text: null, edited: false, reasons: [], failure: null, verdict: null };

/** The lines of one recipe, and what they come to. */
export class Journal {
  readonly #file: string;
  readonly #now: () => number;
  readonly #reasonsOf: (item: number, text: string) => readonly RejectReason[];
  readonly #items = new Map<number, ItemState>();
  /** What stood before each judgement or edit that can be undone. */
  readonly #before: ItemState[] = [];
  readonly #reasons = new Map<RejectReason, number>();
  #totals: Totals = { prompt: 0, reply: 0, answers: 0, seconds: 0 };

  /** @param reasonsOf what the rules say of an edited text */
  constructor(
    file: string,
    now: () => number,
    reasonsOf: (item: number, text: string) => readonly RejectReason[],
  ) {
    this.#file = file;
    this.#now = now;
    this.#reasonsOf = reasonsOf;
    for (const entry of readJsonLines(file, entrySchema)) this.#apply(entry);
  }

  get totals(): Totals {
    return this.#totals;
  }

  get canUndo(): boolean {
    return this.#before.length > 0;
  }

  /** How often each reason spoke against an answer. */
  get reasons(): Partial<Record<RejectReason, number>> {
    return Object.fromEntries(this.#reasons);
  }

  item(item: number): ItemState {
    return this.#items.get(item) ?? { number: item, ...none };
  }

  /** By number. */
  items(): ItemState[] {
    return [...this.#items.values()].sort((one, other) => one.number - other.number);
  }

  add(entry: NewEntry): void {
    const whole = { ...entry, at: this.#now() } as JournalEntry;
    appendJsonLine(this.#file, whole);
    this.#apply(whole);
  }

  /** Takes the last judgement or edit back. @returns the conversation that it was about; null where there is none */
  undo(): number | null {
    const last = this.#before.at(-1);
    if (last === undefined) return null;
    this.add({ kind: 'undo' });
    return last.number;
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'answer':
        return this.#answered(entry);
      case 'failed': {
        const { tries, text } = this.item(entry.number);
        const failure = text === null ? entry.message : null;
        return this.#change(entry.number, { tries: tries + 1, failure });
      }
      case 'again':
        for (const item of this.#items.values()) {
          if (kindOf(item, 1) === 'left-out') this.#change(item.number, { tries: 0 });
        }
        return;
      case 'verdict':
        this.#before.push(this.item(entry.number));
        return this.#change(entry.number, { verdict: entry.verdict });
      case 'edit': {
        const { number: item, text } = entry;
        this.#before.push(this.item(item));
        const reasons = this.#reasonsOf(item, text);
        return this.#change(item, { text, edited: true, reasons, failure: null });
      }
      case 'undo': {
        const before = this.#before.pop();
        if (before !== undefined) this.#items.set(before.number, before);
        return;
      }
      default:
        return entry satisfies never;
    }
  }

  #answered(entry: JournalEntry & { readonly kind: 'answer' }): void {
    const { text, reasons, promptTokens, replyTokens, seconds } = entry;
    const { tries } = this.item(entry.number);
    this.#change(entry.number, {
      ...{ tries: tries + 1, text, reasons, failure: null, edited: false },
    });
    const { prompt, reply, answers, seconds: before } = this.#totals;
    this.#totals = {
      ...{ prompt: prompt + promptTokens, reply: reply + replyTokens },
      ...{ answers: answers + 1, seconds: before + seconds },
    };
    for (const reason of reasons) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  #change(item: number, change: Partial<ItemState>): void {
    this.#items.set(item, { ...this.item(item), ...change });
  }
}

/** Which pile a conversation lies on; `null`: it is still to be written. */
export function kindOf(item: ItemState, tries: number): RecipeItemKind | null {
  if (item.verdict !== null) return item.verdict;
  if (item.text !== null && item.reasons.length === 0) return 'to-review';
  return item.tries >= tries ? 'left-out' : null;
}
