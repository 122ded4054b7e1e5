// The last line of `npm test` is only worth something if a failure cannot hide from it.
import { describe, expect, it } from 'vitest';
import { countsOf as wdioCounts } from '../../scripts/test/end-to-end.mjs';
import { pytestFailures, vitestFailures, wdioFailures } from '../../scripts/test/failures.mjs';
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

describe('what failed', () => {
  it('of vitest is named with its file, and a file that does not load with its words', () => {
    const report = {
      testResults: [
        {
          name: '/here/test/a.test.ts',
          status: 'failed',
          assertionResults: [
            { status: 'passed', fullName: 'a holds', failureMessages: [] },
            { status: 'failed', fullName: 'a breaks', failureMessages: ['\u001b[31mno\u001b[0m'] },
          ],
        },
        {
          name: '/here/test/b.test.ts',
          status: 'failed',
          message: 'no such',
          assertionResults: [],
        },
        { name: '/here/test/c.test.ts', status: 'passed', assertionResults: [] },
      ],
    };
    expect(vitestFailures(report, '/here')).toEqual([
      'test/a.test.ts > a breaks\n    no',
      'test/b.test.ts\n    no such',
    ]);
  });
  it('of pytest is read from its JUnit file', () => {
    const xml =
      '<testsuite><testcase classname="test.a" name="test_x[&lt;1&gt;]" time="0.1">' +
      '<failure message="assert 1 == 2&#10;  where">trace</failure></testcase>' +
      '<testcase classname="test.a" name="test_y" time="0.1" /></testsuite>';
    expect(pytestFailures(xml)).toEqual(['test.a > test_x[<1>]\n    assert 1 == 2\n      where']);
  });
  it('of wdio is named with its suite; a session that did not open too', () => {
    const state = { passed: 1, failed: 1, skipped: 0 };
    const tests = [
      { name: 'goes', state: 'passed' },
      { name: 'does not', state: 'failed', error: { message: 'late', stack: 'Error: late' } },
    ];
    const closed = { specs: ['x.e2e.ts'], suites: [], state: { passed: 0, failed: 0, skipped: 0 } };
    expect(wdioFailures([{ state, suites: [{ name: 's', tests }] }, closed])).toEqual([
      's > does not\n    late',
      'x.e2e.ts: its session did not open',
    ]);
  });
});
