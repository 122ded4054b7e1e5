/** What the thread of the decoder can do before and after its doors are closed, with its own module's eyes too. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { closeDoors } from '../../../../src/worker/inputs/codec/close-doors.ts';
import { moduleFile, sharp } from '../../../../src/worker/inputs/codec/load-sharp.ts';

const require = createRequire(import.meta.url);
const { picture, written } = workerData as { readonly picture: string; readonly written: string };
// Of a realm like any value that the module is given.
const word = 'return 6 * 7';

const attempts: Readonly<Record<string, () => unknown>> = {
  'the module reads a file by its name': () => sharp(picture).metadata(),
  'the module writes one': () =>
    sharp({ create: { width: 2, height: 2, channels: 3, background: '#fff' } })
      .png()
      .toFile(written),
  'fs reads a file': () => readFileSync(picture),
  'fs writes one': () => writeFileSync(`${written}.txt`, 'x'),
  'fs/promises reads a file': () => readFile(picture),
  'a program is started': () => execFileSync('true'),
  'the network is loaded': () => require('node:net') as unknown,
  'a module is loaded': () => require('zod') as unknown,
  'a thread of anything is started': () => startThread(picture),
  'the module starts a thread of another file': () => startModuleThread(picture),
  'words become code': () => makeCode(word),
  'native code is loaded': () =>
    Reflect.apply(Reflect.get(process, 'dlopen') as never, process, [{}, picture]),
  'Node is asked for its insides': () =>
    Reflect.apply(Reflect.get(process, 'getBuiltinModule') as never, process, ['fs']),
};

function startThread(file: string): Promise<number> {
  return new Worker(`require('node:fs').readFileSync(${JSON.stringify(file)})`, {
    eval: true,
  }).terminate();
}

function startModuleThread(file: string): Promise<number> {
  const ModuleWorker = Reflect.get(globalThis, 'Worker') as typeof Worker;
  return new ModuleWorker(file, { workerData: 'em-pthread' }).terminate();
}

/** As the module could: a value's constructor's constructor. */
function makeCode(words: string): unknown {
  const { constructor } = {}.constructor;
  return (constructor as unknown as (words: string) => () => unknown)(words)();
}

async function outcomes(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      found[name] = 'done';
    } catch (error) {
      found[name] = error instanceof Error ? error.message : String(error);
    }
  }
  return found;
}

const before = await outcomes();
closeDoors(moduleFile);
parentPort?.postMessage({ before, after: await outcomes() });
