/**
 * Takes this thread's ways out away, for good: files, programs, more modules (the network among them), native code,
 * words that become code. What has been loaded works on; what goes wrong in the module has the module's memory and
 * nothing else.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import files from 'node:fs/promises';
import module, { syncBuiltinESMExports } from 'node:module';
import worker from 'node:worker_threads';

/** What the module may still ask for by name; the rest of Node leads out. */
const harmless: ReadonlySet<string> = new Set(['node:crypto', 'node:os', 'node:util']);
const closedGlobals = ['fetch', 'WebSocket', 'EventSource', 'eval', 'Function'];
const closedOfProcess = [
  ...['binding', '_linkedBinding', 'dlopen', 'getBuiltinModule', 'kill', '_kill', 'abort'],
  ...['chdir', 'umask', 'setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups'],
];

/** @param moduleFile the one file that threads may be started with: the module starts its own when it needs them */
export function closeDoors(moduleFile: string): void {
  const { writeSync } = fs;
  // The module was made for Node (NODERAWFS): it asks `fs` for any file that it wants.
  for (const each of [fs, files, childProcess]) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (typeof value === 'function') set(each, name, refuse);
    }
  }
  // Its last words, where it fails.
  set(fs, 'writeSync', (file: number, ...what: unknown[]): unknown => {
    if (file !== 2) return refuse();
    const written: unknown = Reflect.apply(writeSync, fs, [file, ...what]);
    return written;
  });
  for (const name of closedGlobals) set(globalThis, name, refuse);
  for (const name of closedOfProcess) set(process, name, refuse);
  closeModules();
  closeThreads(moduleFile);
  closeConstructors();
  syncBuiltinESMExports();
}

function refuse(): never {
  const error = new Error('EACCES: pictures are decoded without any way out');
  throw Object.assign(error, { code: 'EACCES' });
}

function set(of: object, name: string, value: unknown): void {
  if (name in of) Object.defineProperty(of, name, { value, writable: false });
}

function closeModules(): void {
  const load: unknown = Reflect.get(module, '_load');
  if (typeof load !== 'function') throw new Error('Node loads modules in another way');
  set(module, '_load', (name: string, ...more: unknown[]): unknown => {
    if (!harmless.has(name)) return refuse();
    const loaded: unknown = Reflect.apply(load, module, [name, ...more]);
    return loaded;
  });
}

function closeThreads(moduleFile: string): void {
  const { Worker } = worker;
  class ModuleThread extends Worker {
    constructor(file: string, options: worker.WorkerOptions) {
      if (file !== moduleFile || options.workerData !== 'em-pthread') refuse();
      super(moduleFile, { name: 'em-pthread', workerData: 'em-pthread', env: {} });
    }
  }
  set(worker, 'Worker', refuse);
  set(globalThis, 'Worker', ModuleThread);
}

/** From any value the module can go to its constructor's constructor, which makes code of words. */
function closeConstructors(): void {
  const kinds = [
    () => undefined,
    () => Promise.resolve(),
    async () => Promise.resolve(),
    function* () {
      yield undefined;
    },
    async function* () {
      yield Promise.resolve();
    },
  ];
  for (const kind of kinds) {
    const prototype: unknown = Object.getPrototypeOf(kind);
    if (typeof prototype === 'function' || (typeof prototype === 'object' && prototype !== null)) {
      set(prototype, 'constructor', refuse);
    }
  }
}
