import { describe, expect, it } from 'vitest';
import {
  actualZoom,
  fittedSize,
  mostZoom,
  moved,
  wholeView,
  zoomedAt,
} from '../../../src/renderer/views/lightbox/zoom.ts';
import { gridOf, inSight, stepOf } from '../../../src/renderer/views/gallery/grid.ts';
import { randomSource } from '../../support/random-source.ts';

const stage = { width: 800, height: 600 };
const photo = { width: 4000, height: 2000 };

describe('a picture that is zoomed', () => {
  it('fits at first, and a small one is enlarged three times at most', () => {
    expect(fittedSize(photo, stage)).toEqual({ width: 800, height: 400 });
    expect(fittedSize({ width: 128, height: 128 }, stage)).toEqual({ width: 384, height: 384 });
    expect(actualZoom(photo, stage)).toBe(5);
  });

  it('keeps what is under the pointer where it is', () => {
    const random = randomSource(3);
    let view = zoomedAt(wholeView, 4, { x: 0, y: 0 }, photo, stage);
    for (let round = 0; round < 200; round += 1) {
      const point = { x: random.below(400) - 200, y: random.below(200) - 100 };
      const next = zoomedAt(view, 0.9 + random.below(30) / 100, point, photo, stage);
      const under = (seen: typeof view) => ({
        x: (point.x - seen.x) / seen.zoom,
        y: (point.y - seen.y) / seen.zoom,
      });
      const most = { x: (800 * next.zoom - 800) / 2, y: Math.max(0, (400 * next.zoom - 600) / 2) };
      // At its edges the picture is held in the stage instead.
      if (Math.abs(next.x) < most.x - 1) expect(under(next).x).toBeCloseTo(under(view).x, 6);
      if (Math.abs(next.y) < most.y - 1) expect(under(next).y).toBeCloseTo(under(view).y, 6);
      expect(Math.abs(next.x)).toBeLessThanOrEqual(most.x + 1e-9);
      expect(Math.abs(next.y)).toBeLessThanOrEqual(most.y + 1e-9);
      view = next;
    }
  });

  it('goes no further than its pixels are worth, and no smaller than whole', () => {
    const far = zoomedAt(wholeView, 1e9, { x: 10, y: 10 }, photo, stage);
    expect(far.zoom).toBe(mostZoom(photo, stage));
    expect(zoomedAt(far, 1e-9, { x: 0, y: 0 }, photo, stage)).toEqual(wholeView);
  });

  it('cannot be moved out of sight', () => {
    expect(moved(wholeView, { x: 500, y: 500 }, photo, stage)).toEqual(wholeView);
    const near = zoomedAt(wholeView, 2, { x: 0, y: 0 }, photo, stage);
    expect(moved(near, { x: 9999, y: -9999 }, photo, stage)).toEqual({ zoom: 2, x: 400, y: -100 });
  });
});

describe('the grid of the gallery', () => {
  it('fills its width, and is as high as its rows', () => {
    const grid = gridOf(1200, 50_000);
    expect(grid.columns * grid.tile + (grid.columns - 1) * 12).toBeLessThanOrEqual(1200);
    expect(grid.height).toBe(Math.ceil(50_000 / grid.columns) * grid.row);
    expect(gridOf(0, 10).columns).toBe(1);
  });

  it('makes few of many, wherever one has scrolled to', () => {
    const grid = gridOf(1200, 50_000);
    for (const top of [0, 1e5, grid.height / 2, grid.height - 600]) {
      const { from, to } = inSight(grid, 50_000, top, 600);
      expect(to - from).toBeGreaterThanOrEqual(grid.columns);
      expect(to - from).toBeLessThan(60);
      expect(from).toBeLessThanOrEqual(Math.floor(top / grid.row) * grid.columns);
      expect(to).toBeLessThanOrEqual(50_000);
    }
    expect(inSight(grid, 0, 0, 600)).toEqual({ from: 0, to: 0 });
  });

  it.each([
    ['ArrowRight', 0, 1],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 1, 5],
    ['ArrowDown', 8, 8],
    ['ArrowUp', 2, 2],
    ['PageDown', 0, 8],
    ['End', 3, 9],
    ['Home', 7, 0],
    ['a', 3, null],
  ])('%s leads from %i to %s', (key, at, to) => {
    expect(stepOf(key, at, 10, { columns: 4 }, 2)).toBe(to);
  });
});
