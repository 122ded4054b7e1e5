/** Sizes of the grid, CSS pixels. */
export const gap = 12;
const leastTile = 168;
const caption = 42;

export interface Grid {
  readonly columns: number;
  /** Side of a tile's picture. */
  readonly tile: number;
  /** From one row to the next. */
  readonly row: number;
  readonly height: number;
}

/** The grid for so many pictures in this width. */
export function gridOf(width: number, total: number): Grid {
  const columns = Math.max(1, Math.floor((width + gap) / (leastTile + gap)));
  const tile = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns));
  const row = tile + caption + gap;
  return { columns, tile, row, height: Math.ceil(total / columns) * row };
}

/** Numbers of the pictures whose rows are in sight or near it, the last excluded. */
export function inSight(
  grid: Grid,
  total: number,
  top: number,
  height: number,
): { readonly from: number; readonly to: number } {
  const near = height / 2;
  const first = Math.max(0, Math.floor((top - near) / grid.row));
  const last = Math.ceil((top + height + near) / grid.row);
  return { from: Math.min(first * grid.columns, total), to: Math.min(last * grid.columns, total) };
}

/** Where a key leads from a picture; null for another key. `page` is the number of rows in sight. */
export function stepOf(
  key: string,
  at: number,
  total: number,
  { columns }: Pick<Grid, 'columns'>,
  page: number,
): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -Infinity,
    End: Infinity,
  };
  const by = steps[key];
  if (by === undefined) return null;
  const to = at + by;
  // Up from the first row and down from the last stay in their column.
  if (Math.abs(by) === columns && (to < 0 || to >= total)) return at;
  return Math.min(Math.max(to, 0), Math.max(0, total - 1));
}
