import { fork } from 'node:child_process';
import path from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/log.ts';
import { isModelFolder } from '../src/library/model-folder.ts';
import { defaultModel } from '../src/library/models.ts';
import { WorkerClient } from '../src/main/processes/worker-client.ts';
import type {
  WorkerEventBody,
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../src/shared/contracts/worker-protocol.ts';
import type { OpenModelReport } from '../src/shared/domain/engine-status.ts';
import { StudioError } from '../src/shared/errors.ts';
import { root } from '../scripts/setup/steps.mjs';
import { PeerMissing } from './peers/peer-process.ts';

/** The engine's own process, started as the app starts it but from a plain Node. */
export interface WorkerProcess {
  readonly report: OpenModelReport;
  request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    onEvent?: (event: WorkerEventBody<Name>) => void,
  ): Promise<WorkerReplyBody<Name>>;
  /** Resolves once the process is gone. */
  close(): Promise<void>;
}

/**
 * The folder of `--model`: a path, or a name in models/.
 * @throws PeerMissing saying what would make it
 */
export function findModel(chosen: string = defaultModel): string {
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const places = [path.join(root, 'models', chosen), path.resolve(from, chosen)];
  const found = places.find(isModelFolder);
  if (found !== undefined) return found;
  throw new PeerMissing(
    `no model at ${path.relative(root, places[0]!)}: give one with --model DIR`,
  );
}

/** Starts the worker and opens a model in it on the CPU. */
export async function startWorker(folder: string): Promise<WorkerProcess> {
  const child = fork(path.join(root, 'src', 'worker', 'main.ts'), [], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.on('data', (data: Buffer) => (words = (words + data.toString()).slice(-2000)));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  const client = await new Promise<WorkerClient>((resolve, reject) => {
    const made = new WorkerClient({
      port: {
        postMessage: (message) => void child.send(message as object),
        onMessage: (receive) => void child.on('message', receive),
        close: () => undefined,
      },
      clock: systemClock,
      log: silentLogger,
      onReady: () => resolve(made),
      onSign: () => undefined,
      onActivity: () => undefined,
    });
    child.once('exit', (code, signal) => {
      const error = new StudioError(
        'worker-crashed',
        `the worker ended (${signal ?? code}): ${words}`,
      );
      made.fail(error);
      reject(error);
    });
  });
  try {
    const report = await client.request('model.open', { folder, provider: 'cpu' });
    return {
      report,
      request: (name, body, onEvent) =>
        client.request(name, body, onEvent === undefined ? {} : { onEvent }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
