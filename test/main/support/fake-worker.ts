// The scripted engine as a process of its own: a child of Node whose traits are listed in the environment. `silent`
// never says that it is ready, `deaf` does not follow stop, `stubborn` nor SIGTERM, `liar` talks nonsense, `dead` ends at
// once, `apart` has its model drawn elsewhere. A model whose folder's name has "hangs" in it is opened without end, and nothing is heard meanwhile.
import type { Port } from '../../../src/base/port.ts';
import type { FromWorker, ToWorker } from '../../../src/shared/contracts/worker-protocol.ts';
import { defaultScript, ScriptedWorker } from '../../support/scripted-worker.ts';

const traits = new Set((process.env['FAKE_WORKER'] ?? '').split(','));
const memoryRequests = new Set<string>();

function post(message: FromWorker | Record<string, unknown>): void {
  process.send?.(message);
}

/** For good: the loop of the process with it. */
function block(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Whether the worker hears of a message. */
function hears(message: ToWorker): boolean {
  if (message.type === 'stop') return !traits.has('deaf') && !traits.has('stubborn');
  if (message.type !== 'request') return true;
  if (message.name === 'memory') memoryRequests.add(message.id);
  const { folder = '' } = (message.body ?? {}) as { readonly folder?: string };
  if (folder.includes('hangs')) block();
  return true;
}

/** What is said in place of a message; null: nothing. */
function said(message: FromWorker): FromWorker | null {
  if (message.type === 'ready') return traits.has('silent') ? null : message;
  const lies = traits.has('liar') && message.type === 'reply' && memoryRequests.has(message.id);
  return lies ? { ...message, body: { residentBytes: 'much' } } : message;
}

const port: Port = {
  postMessage(message) {
    const words = said(message as FromWorker);
    if (words !== null) post(words);
  },
  onMessage(receive) {
    process.on('message', (message) => hears(message as ToWorker) && receive(message));
  },
  close: () => undefined,
};

if (traits.has('dead')) {
  process.stderr.write('cannot open shared object file: libdead.so\n');
  process.exit(3);
}
if (traits.has('stubborn')) process.on('SIGTERM', () => undefined);
if (traits.has('liar')) {
  post({ nonsense: true });
  post({ type: 'event', id: 'nobody', body: null });
}
const script = defaultScript(0.2);
if (traits.has('apart') && script.model.drawing !== undefined) {
  script.model = { ...script.model, drawing: { ...script.model.drawing, apart: true } };
}
new ScriptedWorker(port, script, ({ code, signal }) => {
  if (signal === null) process.exit(code ?? 0);
  process.kill(process.pid, signal);
});
