import { describe, expect, it } from 'vitest';
import {
  around,
  lastOf,
  mostMade,
  withEarlier,
  withLater,
  type Made,
} from '../../../src/renderer/views/chat/made.ts';

const count = 2_000;
const size = ({ first, end }: Made): number => (end ?? count) - first;
/** The same step again and again. */
function go(
  from: Made,
  step: (made: Made, count: number, most?: number) => Made,
  times: number,
): Made[] {
  const all = [from];
  for (let at = 0; at < times; at += 1) all.push(step(all.at(-1)!, count));
  return all;
}

describe('the turns that are made', () => {
  it('are the last ones at first, and all of a short conversation', () => {
    expect(lastOf(count)).toEqual({ first: 1_960, end: null });
    expect(lastOf(12)).toEqual({ first: 0, end: null });
  });

  it('reach the first turn without ever being more than is kept', () => {
    const all = go(lastOf(count), withEarlier, 1_000);
    expect(all.at(-1)).toEqual({ first: 0, end: mostMade });
    expect(Math.max(...all.map(size))).toBe(mostMade);
  });

  it('come back to the newest, and follow those that come from then on', () => {
    const top = go(lastOf(count), withEarlier, 1_000).at(-1)!;
    const all = go(top, withLater, 1_000);
    expect(all.at(-1)).toEqual({ first: count - mostMade, end: null });
    expect(Math.max(...all.map(size))).toBe(mostMade);
  });

  it('are all kept where none may be given up', () => {
    let made = lastOf(count);
    for (let at = 0; at < 1_000; at += 1) made = withEarlier(made, count, Infinity);
    expect(made).toEqual({ first: 0, end: null });
    made = withLater({ first: 10, end: 400 }, count, Infinity);
    expect(made).toEqual({ first: 10, end: 402 });
  });

  it('stay as they are, reach up to a near one, or are anew around a far one', () => {
    const made = lastOf(count);
    expect(around(made, 1_970, count)).toBe(made);
    expect(around(made, 1_930, count)).toEqual({ first: 1_910, end: null });
    expect(around(made, 300, count)).toEqual({ first: 280, end: 360 });
    expect(around({ first: 0, end: 80 }, 1_950, count)).toEqual({ first: 1_930, end: null });
  });

  it('are no more than is kept where a near one is gone to either', () => {
    expect(around({ first: 30, end: 30 + mostMade }, 0, count)).toEqual({
      first: 0,
      end: mostMade,
    });
    expect(around({ first: 40, end: null }, 5, 40 + mostMade)).toEqual({ first: 0, end: mostMade });
    expect(around({ first: 30, end: 190 }, 0, count, Infinity)).toEqual({ first: 0, end: 190 });
  });
});
