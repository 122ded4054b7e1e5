/**
 * The worker process: the one place that knows how it was started. Electron's utility process gives it a parent port;
 * a plain child process (tests, and tools without Electron) talks over its IPC channel with advanced serialisation.
 */
import { workerEnvironment } from '../shared/contracts/worker-protocol.ts';
import { openLog, silentLogger } from '../base/log.ts';
import type { Port } from '../base/port.ts';
import { TextBindModel } from './pipelines/textbind-model.ts';
import { serveWorker } from './server.ts';

/** What of Electron's `process.parentPort` is used. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  postMessage(message: unknown): void;
}

const logFile = process.env[workerEnvironment.logFile] ?? '';
const log = logFile === '' ? silentLogger : openLog(logFile);

process.on('uncaughtException', (error) => {
  log.error('uncaught', { reason: error.message, stack: error.stack ?? null });
});
process.on('unhandledRejection', (reason) => {
  log.error('unhandled rejection', { reason: String(reason) });
});

const port = parentPort() ?? channelPort();
if (port === null) {
  process.stderr.write('The worker is started by the app; the command is "textbind".\n');
  process.exitCode = 2;
} else {
  log.info('started', { pid: process.pid, node: process.version });
  serveWorker({
    port,
    log,
    openModel: ({ folder, provider }, onProgress) =>
      TextBindModel.open(folder, { provider, onProgress }),
    exit: (code) => process.exit(code),
  });
}

function parentPort(): Port | null {
  const parent = (process as { parentPort?: ParentPort }).parentPort;
  if (parent === undefined) return null;
  return {
    postMessage: (message) => parent.postMessage(message),
    onMessage: (receive) => void parent.on('message', ({ data }) => receive(data)),
    close: () => {},
  };
}

function channelPort(): Port | null {
  if (process.send === undefined) return null;
  // Main is gone: nobody will ever read an answer.
  process.once('disconnect', () => process.exit(0));
  return {
    postMessage: (message) => void process.send?.(message),
    onMessage: (receive) => void process.on('message', receive),
    close: () => {},
  };
}
