/** A number as people write it, with a decimal point or comma; null where it is none, or could be read two ways. */
export function parseNumber(typed: string): number | null {
  const text = typed.trim().replaceAll(/[\u00a0\u202f ]/g, '');
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(text)) return null;
  const number = Number(text.replace(',', '.'));
  return Number.isFinite(number) ? number : null;
}
