// Unit and worker tests. Counts come from vitest's JSON reporter.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { installedRuntime } from '../setup/electron.mjs';
import { root } from '../setup/steps.mjs';
import { vitestFailures } from './failures.mjs';
import { resultsDir, tool, toolEnvironment } from './suite.mjs';

/** @param {string[]} args @returns {Promise<import('./suite.mjs').Counts>} */
export async function vitest(args) {
  const file = path.join(resultsDir, 'vitest.json');
  mkdirSync(resultsDir, { recursive: true });
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await tool('vitest/vitest.mjs', ['run', ...reporters, ...args], environment());
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const result = JSON.parse(readFileSync(file, 'utf8'));
  const passed = Number(result.numPassedTests);
  const skipped = Number(result.numPendingTests) + Number(result.numTodoTests);
  // A file that does not load has no failed test in it, yet it fails.
  const failed = Math.max(
    Number(result.numFailedTests),
    code === 0 ? 0 : 1,
    result.testResults.filter((/** @type {any} */ entry) => entry.status === 'failed').length,
  );
  return { passed, failed, skipped, failures: vitestFailures(result, root) };
}

/**
 * Tests of the WebGPU provider run on SwiftShader, a Vulkan driver in software that every Electron
 * carries, unless somebody chose a driver.
 */
function environment() {
  const env = toolEnvironment();
  const runtime = installedRuntime();
  const driver = runtime === undefined ? '' : path.join(runtime.dist, 'vk_swiftshader_icd.json');
  if (process.platform === 'linux' && existsSync(driver) && env['VK_ICD_FILENAMES'] === undefined) {
    env['VK_ICD_FILENAMES'] = driver;
    env['TEXTBIND_SOFTWARE_VULKAN'] = '1';
  }
  return env;
}
