/** A list with at least one entry: its ends are there without asking. */
export type NonEmpty<Entry> = readonly [Entry, ...(readonly Entry[])];

/** Whether a list has an entry. */
export function isNonEmpty<Entry>(list: readonly Entry[]): list is NonEmpty<Entry> {
  return list.length > 0;
}

/** The last entry. */
export function lastOf<Entry>(list: NonEmpty<Entry>): Entry {
  return list.at(-1) ?? list[0];
}
