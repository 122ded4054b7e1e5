// `npm start`: installs what is missing, builds what changed, opens the app. With --demo the app runs
// its scripted conversation, under a virtual screen where there is no real one.
//
//   npm start                            open the app
//   npm start -- --demo [--out DIR]      run the demo, write to DIR (default demo-out/)
//   npm start -- --setup-only            everything but opening the app
//
// Any other argument goes to the app.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildStale } from './build/build.mjs';
import { hasDisplay, startVirtualScreen } from './setup/display.mjs';
import { installElectron, linkNativeModules } from './setup/electron.mjs';
import { openApp } from './setup/launch.mjs';
import { installPackages } from './setup/npm-packages.mjs';
import { reportFailure, say, SetupError, step } from './setup/steps.mjs';
import { installSystemLibraries } from './setup/system-libraries.mjs';

const demoTimeoutMs = Number(process.env['TEXTBIND_DEMO_TIMEOUT_S'] ?? 900) * 1000;

/**
 * Takes `--name value` or `--name=value` out of a list of arguments.
 * @param {string[]} args changed in place
 * @param {string} name
 */
function takeValue(args, name) {
  const index = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (index < 0) return undefined;
  const inline = args[index]?.startsWith(`${name}=`) === true;
  const [first, second] = args.splice(index, inline ? 1 : 2);
  return inline ? first?.slice(name.length + 1) : second;
}

/** @param {string[]} args changed in place @param {string} name */
function takeFlag(args, name) {
  const index = args.indexOf(name);
  if (index >= 0) args.splice(index, 1);
  return index >= 0;
}

/** Every step up to a built app. */
async function setUp({ screen = false } = {}) {
  await step('npm packages', installPackages);
  await step('system libraries', () => installSystemLibraries({ screen, driver: false }));
  /** @type {import('./setup/electron.mjs').Runtime | undefined} */
  let runtime;
  await step('Electron', async () => {
    const result = await installElectron();
    runtime = result.runtime;
    return result.done;
  });
  await step('build', buildStale);
  if (runtime === undefined) throw new Error('no Electron');
  linkNativeModules(runtime);
  return runtime;
}

/** @param {import('./setup/electron.mjs').Runtime} runtime @param {string[]} args */
async function demo(runtime, args) {
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const out = path.resolve(from, takeValue(args, '--out') ?? 'demo-out');
  // A data folder of its own: the demo neither shows nor touches anybody's conversations.
  const given = args.some((arg) => arg.startsWith('--user-data-dir='));
  const userData = given ? undefined : mkdtempSync(path.join(os.tmpdir(), 'textbind-demo-'));
  if (userData !== undefined) args.push(`--user-data-dir=${userData}`);
  const screen = hasDisplay() ? undefined : await startVirtualScreen();
  if (screen !== undefined)
    say(`no screen here: the demo runs on a virtual one (${screen.display})`);
  try {
    return await openApp(runtime, {
      args: ['--demo', `--out=${out}`, ...args],
      timeoutMs: demoTimeoutMs,
      ...(screen === undefined ? {} : { display: screen.display }),
    });
  } finally {
    screen?.stop();
    if (userData !== undefined) rmSync(userData, { recursive: true, force: true });
  }
}

async function main() {
  const begin = Date.now();
  const args = process.argv.slice(2);
  const setupOnly = takeFlag(args, '--setup-only');
  const isDemo = takeFlag(args, '--demo');
  const runtime = await setUp({ screen: isDemo && !hasDisplay() });
  const took = ((Date.now() - begin) / 1000).toFixed(1);
  if (setupOnly) {
    say(`ready after ${took} s: ${runtime.kind} Electron ${runtime.version}`);
    return 0;
  }
  if (isDemo) return demo(runtime, args);
  if (!hasDisplay()) {
    throw new SetupError(
      'everything is installed and built, but there is no screen to open a window on',
      'Start it from a desktop session (or ssh -X), or run: npm start -- --demo',
    );
  }
  say(`opening the app after ${took} s (${runtime.kind} Electron ${runtime.version})`);
  return openApp(runtime, { args });
}

process.exitCode = await main().catch(reportFailure);
