/** Which turns of a conversation are made on the page. */
export interface Made {
  readonly first: number;
  /** Behind the last; null: all up to the newest, and those that come. */
  readonly end: number | null;
}

/** Only the end of a long conversation is made at first. */
const atOnce = 40;
/** Before one that was gone to. */
const before = 20;
/** A message and its reply: making one takes a millisecond or more, and a frame has sixteen for everything. */
const more = 2;
/**
 * More than this are not kept: each costs every frame something. Enough of the shortest (some 70 px) for all that is near
 * to a window of 4,000 px, or what is made at one end would be wanted again at the other.
 */
export const mostMade = 160;

export const lastOf = (count: number): Made => ({ first: Math.max(0, count - atOnce), end: null });

/** From another one on; `most` are kept, which gives up those at the other end. */
const from = (first: number, { end }: Made, count: number, most: number): Made => ({
  first,
  end: (end ?? count) - first > most ? first + most : end,
});

/** Some more at the top; `most` are kept, which gives up those at the other end. */
export const withEarlier = (made: Made, count: number, most = mostMade): Made =>
  from(Math.max(0, made.first - more), made, count, most);

/** Some more below; `most` are kept, which gives up those at the other end. */
export function withLater({ first, end }: Made, count: number, most = mostMade): Made {
  if (end === null) return { first, end };
  const bottom = Math.min(count, end + more);
  return { first: Math.max(first, bottom - most), end: bottom >= count ? null : bottom };
}

/** Turns around one; as they are where it is made, and up to it where it is near, of which `most` are kept. */
export function around(made: Made, index: number, count: number, most = mostMade): Made {
  const { first, end } = made;
  if (index >= first && index < (end ?? count)) return made;
  const top = Math.max(0, index - before);
  if (index < first && first - index <= atOnce) return from(top, made, count, most);
  const bottom = top + 2 * atOnce;
  return { first: top, end: bottom >= count ? null : bottom };
}
