import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromWorkerSchema, type FromWorker } from '../../src/shared/contracts/worker-protocol.ts';
import { noPython } from '../golden/run-python.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = temporaryFolderForAll();
const logFile = join(folder, 'worker.log');

/** The real worker process, with its messages. */
function startWorker() {
  const child: ChildProcess = fork(join(root, 'src', 'worker', 'main.ts'), {
    execPath: join(root, 'node_modules', '.bin', 'node'),
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    env: { ...process.env, TEXTBIND_WORKER_LOG_FILE: logFile },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const received: FromWorker[] = [];
  const sleepers: (() => void)[] = [];
  child.on('message', (message) => {
    received.push(fromWorkerSchema.parse(message));
    for (const wake of sleepers.splice(0)) wake();
  });
  const until = async (found: (message: FromWorker) => boolean): Promise<FromWorker> => {
    for (;;) {
      const message = received.find(found);
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => sleepers.push(resolve));
    }
  };
  return {
    child,
    received,
    until,
    ask(id: string, name: string, body: unknown) {
      child.send({ type: 'request', id, name, body });
      return until(
        (message) => (message.type === 'reply' || message.type === 'error') && message.id === id,
      );
    },
    exit: new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code))),
  };
}

describe.skipIf(noPython !== undefined)(`the worker process ${noPython ?? ''}`, () => {
  let worker: ReturnType<typeof startWorker>;
  let model: ReturnType<typeof makeTinyModel>;

  beforeAll(() => {
    model = makeTinyModel();
    worker = startWorker();
  }, 600_000);
  afterAll(async () => {
    worker.child.kill('SIGKILL');
    await worker.exit;
    model.remove();
  });

  it('opens a model, replies, draws, and tells its memory', async () => {
    expect(await worker.until(() => true)).toMatchObject({ type: 'ready', pid: worker.child.pid });
    const opened = await worker.ask('1', 'model.open', {
      folder: model.folder,
      provider: 'cpu',
    });
    expect(opened).toMatchObject({ type: 'reply', body: { name: 'Tiny', canDraw: true } });
    const turns = [{ role: 'user', parts: [{ kind: 'text', text: 'Top secret' }] }];
    const sampling = { maxNewTokens: 6 };
    const drawing = { steps: 1, seed: 4 };
    const reply = await worker.ask('2', 'chat.reply', { turns, sampling, drawing });
    expect(reply).toMatchObject({ body: { usage: { pictures: expect.any(Number) as number } } });
    const drawn = await worker.ask('3', 'draw', { caption: 'a cat', drawing });
    expect(drawn).toMatchObject({ body: { kind: 'picture', recipe: { seed: 4, steps: 1 } } });
    const memory = await worker.ask('4', 'memory', null);
    // Vision, Q-Former, decoder, embedding, two text encoders, UNet, VAE.
    expect(memory).toMatchObject({ body: { sessions: 8 } });
  });

  it('names what is wrong with a folder, and goes on', async () => {
    const wrong = await worker.ask('5', 'model.open', { folder: '/nowhere', provider: 'cpu' });
    expect(wrong).toMatchObject({ type: 'error', error: { kind: 'not-found' } });
    expect(await worker.ask('6', 'ping', null)).toMatchObject({ type: 'reply' });
  });

  it('stops when told, with code 0, and has logged no words', async () => {
    worker.child.send({ type: 'stop' });
    expect(await worker.exit).toBe(0);
    const log = readFileSync(logFile, 'utf8');
    expect(log).toMatch(/begin request=2 name=chat\.reply/);
    expect(log).not.toMatch(/secret/);
  });
});
