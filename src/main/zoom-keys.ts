/** Steps of Chromium's zoom: each level is a fifth more. 200 % is about 3.8. */
export const zoomLevels = { least: -3, most: 5, step: 0.5 } as const;

/** What Electron tells of a key before the page sees it. */
export interface KeyInput {
  readonly type: string;
  readonly key: string;
  readonly control: boolean;
  readonly meta: boolean;
  readonly alt: boolean;
}

/** @returns the level that a key leads to from another; null where it is no key for zoom */
export function zoomByKey(
  { type, key, control, meta, alt }: KeyInput,
  from: number,
  platform: NodeJS.Platform,
): number | null {
  const isPressed = platform === 'darwin' ? meta && !control : control && !meta;
  if (type !== 'keyDown' || !isPressed || alt) return null;
  if (key === '0') return 0;
  const by = { '=': 1, '+': 1, '-': -1, _: -1 }[key];
  if (by === undefined) return null;
  return Math.min(zoomLevels.most, Math.max(zoomLevels.least, from + by * zoomLevels.step));
}
