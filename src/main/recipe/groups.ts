/** Which pictures a conversation is made of: those of one cluster, each as often as the others (the paper's topic-aware sampling). */
import { StudioError } from '../../shared/errors.ts';

export interface GroupPlan {
  /** The cluster of each picture. */
  readonly of: readonly number[];
  /** Pictures that are left out. */
  readonly without: ReadonlySet<number>;
  /** Pictures of one conversation. */
  readonly least: number;
  readonly most: number;
  readonly count: number;
  readonly seed: number;
}

/** Pictures that fit their captions worst. @param likeness null where the eyes cannot tell */
export function worstFitting(
  likeness: readonly (number | null)[],
  share: number,
): ReadonlySet<number> {
  const told = likeness.flatMap((value, number) => (value === null ? [] : [{ value, number }]));
  const order = told.toSorted((one, other) => one.value - other.value || one.number - other.number);
  return new Set(order.slice(0, Math.floor(share * told.length)).map(({ number }) => number));
}

/**
 * The pictures of each conversation. A longer plan begins with a shorter one's conversations.
 * @throws StudioError `bad-input` where no cluster has enough pictures
 */
export function planGroups(plan: GroupPlan): number[][] {
  const { least, most, seed, count } = plan;
  if (least > most) {
    throw new StudioError('bad-input', `At least ${least} pictures are more than at most ${most}.`);
  }
  const random = seededRandom(seed);
  const decks = clusterMembers(plan)
    .filter((members) => members.length >= least)
    .map((members) => new Deck(members, random));
  if (decks.length === 0) {
    const message = `No cluster has ${least} pictures: take fewer clusters, fewer pictures a conversation, or more data.`;
    throw new StudioError('bad-input', message);
  }
  const pictures = decks.reduce((sum, { size }) => sum + size, 0);
  return Array.from({ length: count }, () => {
    const deck = pick(decks, random() * pictures);
    const upTo = Math.min(most, deck.size);
    return deck.draw(least + Math.floor(random() * (upTo - least + 1)));
  });
}

function clusterMembers({ of, without }: GroupPlan): number[][] {
  const members: number[][] = [];
  for (const [picture, cluster] of of.entries()) {
    if (!without.has(picture)) (members[cluster] ??= []).push(picture);
  }
  // A cluster of which every picture is left out is a hole.
  return members.filter((each) => each !== undefined);
}

/** The deck in which the n-th picture lies. */
function pick(decks: readonly Deck[], place: number): Deck {
  let before = 0;
  return decks.find(({ size }) => (before += size) > place) ?? decks.at(-1)!;
}

/** A cluster's pictures in an order of chance, which is gone through before it is shuffled again. */
class Deck {
  readonly #members: readonly number[];
  readonly #random: () => number;
  #left: number[] = [];

  constructor(members: readonly number[], random: () => number) {
    this.#members = members;
    this.#random = random;
  }

  get size(): number {
    return this.#members.length;
  }

  /** So many different ones. */
  draw(count: number): number[] {
    const drawn = this.#left.splice(0, count);
    if (drawn.length < count) {
      const fresh = shuffled(this.#members, this.#random);
      // Those that this conversation has already come last.
      const taken = new Set(drawn);
      this.#left = [
        ...fresh.filter((each) => !taken.has(each)),
        ...fresh.filter((each) => taken.has(each)),
      ];
      drawn.push(...this.#left.splice(0, count - drawn.length));
    }
    return drawn;
  }
}

function shuffled(items: readonly number[], random: () => number): number[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How alike pictures are to their captions: the mean, and what a tenth of them lies under; null where eyes cannot tell. */
export function likenessOf(
  pictures: readonly { readonly likeness: number | null }[],
): { readonly pictures: number; readonly mean: number; readonly lowestTenth: number } | null {
  const told = pictures.flatMap(({ likeness }) => (likeness === null ? [] : [likeness]));
  if (told.length === 0) return null;
  const sorted = told.sort((a, b) => a - b);
  return {
    pictures: sorted.length,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    lowestTenth: sorted[Math.floor(sorted.length / 10)]!,
  };
}
