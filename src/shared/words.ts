const units = [
  { unit: 'megabyte', bytes: 1e6, short: 'MB' },
  { unit: 'gigabyte', bytes: 1e9, short: 'GB' },
  { unit: 'terabyte', bytes: 1e12, short: 'TB' },
] as const;

/** A size in decimal units, from megabytes on; a decimal only where it says something: "13.2", "13", "132". */
export function sizeInUnit(bytes: number) {
  const { unit, short, bytes: one } = units.find((each) => bytes / each.bytes < 999.5) ?? units[2];
  const value = bytes / one;
  const isWhole = unit === 'megabyte' || value >= 99.95 || Math.round(value * 10) % 10 === 0;
  return { value, unit, short, digits: isWhole ? 0 : 1 } as const;
}

/** `13.2 GB`, for a person; from 1,000 on `1.2 TB`. */
export function gigabytes(bytes: number): string {
  const { value, short, digits } = sizeInUnit(Math.max(1e6, bytes));
  return `${value.toFixed(digits)} ${short}`;
}
