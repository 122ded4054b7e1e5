/** Numbers, sizes and dates as the language that is shown writes them. */
import { shownLanguage, shownLocale } from './texts.svelte.ts';

type Unit = 'kilobyte' | 'megabyte' | 'gigabyte' | 'terabyte';

/** "1.5" with 1 digit, "2" with 0. */
export function decimal(value: number, digits: number): string {
  return written({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** "12,345" */
export function grouped(value: number): string {
  return written({ useGrouping: true, maximumFractionDigits: 20 }).format(value);
}

/** "13.2 GB" */
export function inUnit(value: number, unit: Unit, digits: number): string {
  return written({
    style: 'unit',
    unit,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** Day and time of day. */
export function dateAndTime(at: number, options?: Intl.DateTimeFormatOptions): string {
  return new Date(at).toLocaleString(shownLocale(), options);
}

export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString(shownLocale());
}

function written(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return new Intl.NumberFormat(shownLanguage(), { useGrouping: false, ...options });
}
