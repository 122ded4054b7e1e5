// The end-to-end tests: wdio on the packaged app (the build that lets it in), under a virtual screen where there is no real one.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { packApp, packDeb } from '../dist.mjs';
import { hasDisplay, startVirtualScreen } from '../setup/display.mjs';
import { installedRuntime } from '../setup/electron.mjs';
import { machineSwitches } from '../setup/launch.mjs';
import { onPath } from '../setup/steps.mjs';
import { wdioFailures } from './failures.mjs';
import { countDeclared, resultsDir, tool, toolEnvironment } from './suite.mjs';

/**
 * @param {string[]} args further arguments of wdio; `--dev` takes the development build in out/
 * @param {string | undefined} problem why they cannot run here, if so
 * @returns {Promise<import('./suite.mjs').Counts>}
 */
export async function endToEnd(args, problem) {
  const reason =
    problem ?? (process.platform === 'linux' ? undefined : 'they are for Linux so far');
  if (reason !== undefined) {
    const skipped = countDeclared('test/e2e', /\.e2e\.ts$/, /^\s*it(\.skip)?\(/gm);
    return { passed: 0, failed: 0, skipped, reason };
  }
  const dev = args.includes('--dev');
  const runtime = installedRuntime();
  const screen = hasDisplay() ? undefined : await startVirtualScreen();
  const results = path.join(resultsDir, 'e2e');
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  try {
    const env = {
      ...toolEnvironment(),
      TEXTBIND_E2E_RESULTS: results,
      TEXTBIND_E2E_SWITCHES: JSON.stringify(
        machineSwitches({ virtualScreen: screen !== undefined }),
      ),
      TEXTBIND_E2E_ELECTRON: runtime?.executable ?? '',
      TEXTBIND_E2E_SHIPPED: dev ? '' : await packApp(),
      TEXTBIND_E2E_APP: dev ? '' : await packApp('tests'),
      TEXTBIND_E2E_DEB: dev || !onPath('dpkg-deb') ? '' : await packDeb(),
      ...(screen === undefined ? {} : { DISPLAY: screen.display }),
    };
    const rest = args.filter((arg) => arg !== '--dev');
    const code = await tool('@wdio/cli/bin/wdio.js', ['run', 'wdio.conf.ts', ...rest], env);
    const read = readResults(results);
    return { ...countsOf(read, code), failures: wdioFailures(read) };
  } finally {
    screen?.stop();
  }
}

/** @param {string} folder @returns {Result[]} */
function readResults(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
}

/**
 * @typedef {{ state: { passed: number, failed: number, skipped: number } }} Result
 * @param {Result[]} results one a spec file
 * @param {number} code wdio's exit code
 * @returns {import('./suite.mjs').Counts}
 */
export function countsOf(results, code) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { state } of results) {
    counts.passed += state.passed;
    counts.failed += state.failed;
    counts.skipped += state.skipped;
    // A spec whose session or hooks fail has no failed test in its file.
    if (state.passed + state.failed + state.skipped === 0) counts.failed += 1;
  }
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
