// A worker process without an engine: the real protocol, scripted replies. Runs as a child of Node (process.send) and
// as an Electron utility process (process.parentPort). What a person writes says what it does; see `reply` below.
import { encodePng } from '../../support/png.ts';
import type {
  FromWorker,
  PromptTurn,
  ToWorker,
} from '../../../src/shared/contracts/worker-protocol.ts';
import type { WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';

interface ParentPort {
  postMessage(message: unknown): void;
  on(name: 'message', listener: (event: { data: unknown }) => void): void;
}

const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort;
/** Traits, by a list of words in the environment: silent, deaf (ignores stop), stubborn (and SIGTERM), dead. */
const traits = new Set((process.env['FAKE_WORKER'] ?? '').split(','));
const cancelled = new Set<string>();
let pictures = 0;

function post(message: FromWorker | Record<string, unknown>): void {
  if (parentPort !== undefined) parentPort.postMessage(message);
  else process.send?.(message);
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const usage = {
  promptTokens: 10,
  replyTokens: 5,
  prefillSeconds: 0.1,
  decodeSeconds: 0.2,
  firstTokenSeconds: 0.15,
  pictures: 0,
  drawSeconds: 0,
};

function draw(caption: string, seed: number | null) {
  pictures += 1;
  return {
    kind: 'picture' as const,
    png: encodePng(64, 64, (pictures * 37) % 256),
    width: 64,
    height: 64,
    caption,
    recipe: { seed: seed ?? pictures, steps: 3, guidance: 5, model: 'Fake model' },
    seconds: 0.1,
  };
}

async function* script(turns: readonly PromptTurn[]): AsyncGenerator<WorkerReplyEvent> {
  const last = turns.at(-1)!;
  const words = last.parts
    .map((part) => (part.kind === 'text' ? part.text : `[${part.kind}]`))
    .join('');
  if (/\bdraw\b/i.test(words) && last.role === 'user') {
    yield { kind: 'text', text: 'Here it is: ' };
    yield { kind: 'caption-started' };
    yield { kind: 'caption-text', text: 'a red ' };
    yield { kind: 'caption-text', text: 'apple' };
    yield { kind: 'caption-finished', caption: 'a red apple' };
    if (words.includes('and fail')) {
      const error = { kind: 'out-of-memory' as const, message: 'No memory.', detail: null };
      yield { kind: 'drawing-failed', caption: 'a red apple', error };
      return;
    }
    for (let step = 0; step <= 3; step += 1) {
      await wait(30);
      const preview = step === 2 ? encodePng(8, 8, 99) : null;
      yield {
        kind: 'drawing-step',
        step,
        steps: 3,
        secondsLeft: 1,
        preview,
        width: 64,
        height: 64,
      };
    }
    yield draw('a red apple', null);
    yield { kind: 'text', text: ' There.' };
    return;
  }
  const length = Number(/(\d+) words/.exec(words)?.[1] ?? 8);
  const delay = Number(/every (\d+) ms/.exec(words)?.[1] ?? 5);
  yield { kind: 'text', text: `I was asked: ${words.slice(0, 200)}. ` };
  for (let index = 0; index < length; index += 1) {
    await wait(delay);
    yield { kind: 'text', text: `word${index} ` };
    if (words.includes('crash') && index === 3) process.exit(7);
    if (words.includes('hang') && index === 3) block(100_000);
  }
}

async function answer(id: string, turns: readonly PromptTurn[]): Promise<void> {
  for await (const event of script(turns)) {
    if (cancelled.has(id)) {
      post({ type: 'reply', id, body: { finish: 'cancelled', usage } });
      return;
    }
    post({ type: 'event', id, body: event });
  }
  post({ type: 'reply', id, body: { finish: 'end', usage } });
}

async function handle(message: ToWorker): Promise<void> {
  if (message.type === 'cancel') return void cancelled.add(message.id);
  if (message.type === 'stop') {
    if (!traits.has('deaf') && !traits.has('stubborn')) process.exit(0);
    return;
  }
  const { id, name, body } = message;
  const reply = (value: unknown): void => post({ type: 'reply', id, body: value });
  switch (name) {
    case 'ping':
      return reply(null);
    case 'model.open':
      // A model that the worker loads without ever hearing anything again.
      if ((body as { folder: string }).folder.includes('hangs')) block(100_000);
      await wait(20);
      return reply({
        name: 'Fake model',
        folder: (body as { folder: string }).folder,
        canDraw: true,
        maxSequenceLength: 1024,
        providers: { provider: 'cpu', fallbacks: [] },
        seconds: 0.02,
      });
    case 'memory':
      return traits.has('liar')
        ? reply({ residentBytes: 'much' })
        : reply({ residentBytes: process.memoryUsage().rss, sessions: 0 });
    case 'chat.reply':
      return answer(id, (body as { turns: PromptTurn[] }).turns);
    case 'draw': {
      const { caption, drawing } = body as { caption: string; drawing: { seed: number | null } };
      for (let step = 0; step <= 3; step += 1) {
        await wait(20);
        if (cancelled.has(id)) {
          post({
            type: 'error',
            id,
            error: { kind: 'cancelled', message: 'Stopped.', detail: null },
          });
          return;
        }
        const progress = { kind: 'drawing-step', step, steps: 3, secondsLeft: 1, preview: null };
        post({ type: 'event', id, body: { ...progress, width: 64, height: 64 } });
      }
      if (caption.includes('fail')) {
        post({
          type: 'error',
          id,
          error: { kind: 'out-of-memory', message: 'No memory.', detail: null },
        });
        return;
      }
      return reply(draw(caption, drawing.seed));
    }
  }
}

if (traits.has('dead')) {
  process.stderr.write('cannot open shared object file: libdead.so\n');
  process.exit(3);
}
if (traits.has('stubborn')) process.on('SIGTERM', () => undefined);
const receive = (message: unknown): void => void handle(message as ToWorker);
if (parentPort !== undefined) parentPort.on('message', (event) => receive(event.data));
else process.on('message', receive);
if (traits.has('liar')) {
  post({ nonsense: true });
  post({ type: 'event', id: 'nobody', body: null });
}
if (!traits.has('silent')) post({ type: 'ready', pid: process.pid });
