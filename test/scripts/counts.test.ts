// The last line of `npm test` is only worth something if a failure cannot hide from it.
import { describe, expect, it } from 'vitest';
import { countsOf as wdioCounts } from '../../scripts/test/end-to-end.mjs';
import { countsOf as pytestCounts } from '../../scripts/test/trainer.mjs';

const junit = (attributes: string): string =>
  `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${attributes} time="1.2"></testsuite></testsuites>`;

describe('pytest', () => {
  it('is counted from its JUnit file', () => {
    const xml = junit('errors="1" failures="2" skipped="3" tests="10"');
    expect(pytestCounts(xml, 1)).toEqual({ passed: 4, failed: 3, skipped: 3 });
  });
  it('fails with its exit code even where no test failed', () => {
    const xml = junit('errors="0" failures="0" skipped="0" tests="5"');
    expect(pytestCounts(xml, 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
    expect(pytestCounts(xml, 2).failed).toBe(1);
    expect(pytestCounts('', 3).failed).toBe(1);
  });
});

describe('wdio', () => {
  it('adds up its spec files', () => {
    const results = [
      { state: { passed: 2, failed: 0, skipped: 1 } },
      { state: { passed: 1, failed: 1, skipped: 0 } },
    ];
    expect(wdioCounts(results, 1)).toEqual({ passed: 3, failed: 1, skipped: 1 });
  });
  it('counts a spec whose session never opened, and a bad exit code', () => {
    expect(wdioCounts([{ state: { passed: 0, failed: 0, skipped: 0 } }], 1).failed).toBe(1);
    expect(wdioCounts([{ state: { passed: 1, failed: 0, skipped: 0 } }], 1).failed).toBe(1);
    expect(wdioCounts([], 1).failed).toBe(1);
  });
});
