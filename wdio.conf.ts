// End-to-end tests through the real window: plain WebDriver on the app's own binary, one app and one
// fresh data folder a spec file. Started by scripts/test.mjs, which builds the app and gives a screen;
// by hand: `npm test -- --only e2e [-- --spec test/e2e/NAME.e2e.ts]`.
import { startDriver } from './test/e2e/harness/driver.ts';
import { prepareApp, endLeftOvers } from './test/e2e/harness/app.ts';

const driver = await startDriver();

export const config: WebdriverIO.Config = {
  runner: 'local',
  tsConfigPath: './test/e2e/tsconfig.json',
  specs: ['./test/e2e/**/*.e2e.ts'],
  maxInstances: 1,
  hostname: '127.0.0.1',
  port: driver.port,
  capabilities: [
    {
      browserName: 'chrome',
      // BiDi's mapper wants a page of its own, which Electron does not open.
      'wdio:enforceWebDriverClassic': true,
    },
  ],
  logLevel: 'error',
  waitforTimeout: 20_000,
  connectionRetryTimeout: 120_000,
  connectionRetryCount: 1,
  framework: 'mocha',
  // Of each test and hook. Another limit is said of a suite, before its tests (`this.timeout` in a function of `describe`):
  // the runner reads a test's before it calls it, so that what a test says of itself is never heard.
  mochaOpts: { ui: 'bdd', timeout: 300_000 },
  reporters: [
    ['spec', { addConsoleLogs: false, showPreface: false }],
    [
      'json',
      {
        outputDir: process.env['TEXTBIND_E2E_RESULTS'] ?? '.cache/e2e/results',
        outputFileFormat: ({ cid }: { cid: string }) => `${cid}.json`,
      },
    ],
  ],
  // In the worker, before its session: a fresh data folder, and the binary that starts the app on it.
  beforeSession: (_config, capabilities) => {
    const { launcher, userData } = prepareApp();
    Object.assign(capabilities, {
      'goog:chromeOptions': { binary: launcher, args: [`--user-data-dir=${userData}`] },
    });
  },
  afterSession: () => endLeftOvers(),
  onComplete: () => driver.stop(),
};
