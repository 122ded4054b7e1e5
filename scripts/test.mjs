// `npm test`: the same set-up as `npm start`, then every suite; none stops another. The last line is
// `N passed, N failed, N skipped` over all of them; the exit code is 1 where anything failed.
//
//   npm test                               everything
//   npm test -- --only vitest,trainer      some suites (types lint boundaries format vitest trainer e2e)
//   npm test -- --only e2e --spec FILE     further arguments go to the suite's tool
//   npm test -- --no-setup                 what is installed is taken as it is
import { buildStale } from './build/build.mjs';
import { hasDisplay } from './setup/display.mjs';
import { installElectron, linkNativeModules } from './setup/electron.mjs';
import { installPackages } from './setup/npm-packages.mjs';
import { installPython } from './setup/python.mjs';
import { elapsed, reportFailure, SetupError, step } from './setup/steps.mjs';
import { installSystemLibraries } from './setup/system-libraries.mjs';
import { boundaries, format, lint, types } from './test/checks.mjs';
import { endToEnd } from './test/end-to-end.mjs';
import { trainer } from './test/trainer.mjs';
import { vitest } from './test/vitest.mjs';

/** @typedef {import('./test/suite.mjs').Counts} Counts */

/** @type {Record<string, (args: string[], problems: Problems) => Promise<Counts>>} */
const suites = {
  types: (args, problems) => types(args, problems.python === undefined),
  lint: (args, problems) => lint(args, problems.python === undefined),
  boundaries,
  format: (args, problems) => format(args, problems.python === undefined),
  vitest,
  trainer: (args, problems) => trainer(args, problems.python),
  e2e: (args, problems) => endToEnd(args, problems.screen),
};

/**
 * Why a suite cannot run on this machine: it is skipped, and says so.
 * @typedef {{ python?: string, screen?: string }} Problems
 */

/** @param {string[]} chosen @returns {Promise<Problems>} */
async function setUp(chosen) {
  /** @type {Problems} */
  const problems = {};
  await step('npm packages', installPackages);
  const e2e = chosen.includes('e2e');
  if (e2e || chosen.includes('vitest')) {
    const needs = { screen: e2e && !hasDisplay(), driver: e2e, vulkan: true };
    await optional('screen', problems, 'system libraries', () => installSystemLibraries(needs));
    // Beside the end-to-end tests, the WebGPU tests use the software driver that Electron carries.
    await step('Electron', async () => {
      const { runtime, done } = await installElectron();
      linkNativeModules(runtime);
      return done;
    });
  }
  if (chosen.includes('trainer')) await optional('python', problems, 'Python', installPython);
  if (e2e) await optional('screen', problems, 'build', buildStale);
  return problems;
}

/**
 * A step without which some suites are skipped and the others run.
 * @param {keyof Problems} key @param {Problems} problems @param {string} name
 * @param {() => Promise<string | undefined>} work
 */
async function optional(key, problems, name, work) {
  try {
    await step(name, work);
  } catch (error) {
    if (!(error instanceof SetupError) || name === 'build') throw error;
    problems[key] = `${error.message}. ${error.mend}`;
    process.stdout.write(`[set-up] ${problems[key]}\n`);
  }
}

/** @param {string[]} args changed in place */
function chosenSuites(args) {
  const index = args.findIndex((arg) => arg === '--only' || arg.startsWith('--only='));
  if (index < 0) return Object.keys(suites);
  const inline = args[index]?.includes('=') === true;
  const taken = args.splice(index, inline ? 1 : 2);
  const names = (inline ? taken[0]?.split('=')[1] : taken[1])?.split(',') ?? [];
  const unknown = names.filter((name) => !(name in suites));
  if (unknown.length > 0 || names.length === 0) {
    throw new SetupError(
      `no suite ${unknown.join(', ')}`,
      `The suites are: ${Object.keys(suites).join(', ')}.`,
    );
  }
  return names;
}

async function main() {
  const args = process.argv.slice(2);
  const total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const lines = [];
  /** @type {string[]} */
  const failures = [];
  try {
    const chosen = chosenSuites(args);
    const noSetup = args.indexOf('--no-setup');
    if (noSetup >= 0) args.splice(noSetup, 1);
    const problems = noSetup >= 0 ? {} : await setUp(chosen);
    for (const name of chosen) {
      const begin = Date.now();
      process.stdout.write(`\n== ${name}\n`);
      const counts = (await suites[name]?.(args, problems).catch(failure)) ?? failure('no suite');
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
      failures.push(...(counts.failures ?? []).map((each) => `${name}: ${each}`));
      const line = `${name}: ${sentence(counts)} (${elapsed(Date.now() - begin)})`;
      lines.push(counts.reason === undefined ? line : `${line}: ${counts.reason}`);
      process.stdout.write(`${line}\n`);
    }
  } catch (error) {
    reportFailure(error);
    total.failed += 1;
    lines.push('set-up: failed');
  }
  if (failures.length > 0) process.stdout.write(`\nWhat failed:\n${failures.join('\n')}\n`);
  process.stdout.write(`\n${lines.join('\n')}\n\n${sentence(total)}\n`);
  return total.failed > 0 ? 1 : 0;
}

/** @param {unknown} error @returns {Counts} */
function failure(error) {
  reportFailure(error);
  return { passed: 0, failed: 1, skipped: 0 };
}

/** @param {Counts} counts */
function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

process.exitCode = await main();
