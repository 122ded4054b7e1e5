import { describe, expect, test } from 'vitest';
import { createCalendar } from '../../../src/main/database/calendar.ts';
import { openTestStorage } from '../support/storage.ts';

const dayMs = 24 * 60 * 60 * 1000;
const start = 20_000 * dayMs;

/** One start of the app after another, each at a time of the machine's clock in days; what the calendar says. */
function startsAt(days: readonly number[]): number[] {
  const { store } = openTestStorage();
  return days.map((day) => {
    const calendar = createCalendar(store.settings, () => start + day * dayMs);
    return (calendar.now() - start) / dayMs;
  });
}

describe('the calendar', () => {
  test('goes with the clock from day to day', () => {
    expect(startsAt([0, 1, 2, 9, 15])).toEqual([0, 1, 2, 9, 15]);
  });

  test('does not follow a clock that is 40 days ahead for one start, nor for many in one day', () => {
    expect(startsAt([0, 41, 1, 2, 12])).toEqual([0, 10, 1, 2, 12]);
    expect(startsAt([0, 41, 41.1, 41.2, 41.3, 1.4])).toEqual([0, 10, 10, 10, 10, 1.4]);
  });

  test('catches up with a real absence in a few days', () => {
    expect(startsAt([0, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110])).toEqual([
      0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110,
    ]);
  });

  test('a clock set back deletes nothing, and what is deleted then is not stamped as old', () => {
    const { store } = openTestStorage();
    let day = 0;
    const calendar = createCalendar(store.settings, () => start + day * dayMs);
    calendar.now();
    day = -19_000;
    expect(calendar.now()).toBe(start - 19_000 * dayMs);
    expect(calendar.stamp()).toBe(start);
    day = 3;
    expect(calendar.now()).toBe(start + 3 * dayMs);
  });
});
