const rules = new Intl.PluralRules('en');

/** The word for so many: "row" of one, "rows" of any other number. */
export function plural(count: number, one: string, other: string): string {
  return rules.select(count) === 'one' ? one : other;
}
