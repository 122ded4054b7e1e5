// What failed, said again in a few lines at the very end of `npm test`: a log of an hour is often kept only by its tail.

/** As many lines of a failure's own words as are repeated. */
const LINES_OF_A_FAILURE = 6;

/** @param {string} name @param {unknown} words */
function failure(name, words) {
  // eslint-disable-next-line no-control-regex -- colours of a terminal are no part of the words
  const plain = String(words ?? '').replace(/\u001b\[[0-9;]*m/g, '');
  const lines = plain.split('\n').filter((line) => line.trim() !== '');
  return [name, ...lines.slice(0, LINES_OF_A_FAILURE).map((line) => `    ${line.trimEnd()}`)].join(
    '\n',
  );
}

/**
 * @param {any} report vitest's JSON report
 * @param {string} root the repository, taken off the files' names
 * @returns {string[]} the test's file and name, and the first lines of what it said
 */
export function vitestFailures(report, root) {
  return report.testResults
    .filter((/** @type {any} */ file) => file.status === 'failed')
    .flatMap((/** @type {any} */ file) => {
      const where = String(file.name).replace(`${root}/`, '');
      const tests = file.assertionResults.filter((/** @type {any} */ t) => t.status === 'failed');
      // A file that does not load has its words itself.
      if (tests.length === 0) return [failure(where, file.message)];
      return tests.map((/** @type {any} */ test) =>
        failure(`${where} > ${test.fullName}`, test.failureMessages.join('\n')),
      );
    });
}

/** @param {string} xml pytest's JUnit file @returns {string[]} */
export function pytestFailures(xml) {
  const cases = xml.matchAll(/<testcase ([^>]*?)>\s*<(?:failure|error) message="([^"]*)"/g);
  return [...cases].map(([, attributes = '', message = '']) => {
    const of = (/** @type {string} */ key) =>
      new RegExp(`\\b${key}="([^"]*)"`).exec(attributes)?.[1] ?? '';
    return failure(`${of('classname')} > ${decoded(of('name'))}`, decoded(message));
  });
}

/** @param {string} text of an XML attribute */
function decoded(text) {
  /** @type {Record<string, string>} */
  const named = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name] ?? whole;
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** @param {any} error as wdio has it: an error's message and stack, or words */
const wordsOf = (error) => error?.message ?? error;

/**
 * @param {any[]} results of wdio's JSON reporter, one a spec file
 * @returns {string[]} the spec's suite and name, and what failed in it, hooks too
 */
export function wdioFailures(results) {
  return results.flatMap((result) => {
    const failed = (result.suites ?? []).flatMap((/** @type {any} */ suite) =>
      [...(suite.hooks ?? []), ...(suite.tests ?? [])]
        .filter((/** @type {any} */ each) => each.state === 'failed')
        .map((/** @type {any} */ each) =>
          failure(
            `${suite.name} > ${each.name ?? each.title}`,
            wordsOf(each.error ?? each.errors?.[0]),
          ),
        ),
    );
    const { passed, failed: count, skipped } = result.state;
    if (passed + count + skipped > 0 || failed.length > 0) return failed;
    return [failure(`${(result.specs ?? []).join(', ')}: its session did not open`, '')];
  });
}
