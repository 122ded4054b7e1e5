/**
 * The worker process: a model, and the requests of whoever started it.
 */
import { workerEnvironment } from '../shared/contracts/worker-protocol.ts';
import { openLog, silentLogger } from '../base/log.ts';
import { openDrawingPart } from './pipelines/drawing-part.ts';
import { TextBindModel } from './pipelines/textbind-model.ts';
import { processPort } from '../base/process-port.ts';
import { serveWorker } from './server.ts';

// Chromium's zygote forks it, which was there before main could say so for its children.
process.umask(0o077);
const logFile = process.env[workerEnvironment.logFile] ?? '';
const log = logFile === '' ? silentLogger : openLog(logFile);

process.on('uncaughtException', (error) => {
  log.error('uncaught', { reason: error.message, stack: error.stack ?? null });
});
process.on('unhandledRejection', (reason) => {
  log.error('unhandled rejection', { reason: String(reason) });
});

const port = processPort();
if (port === null) {
  process.stderr.write('The worker is started by the app; the command is "textbind".\n');
  process.exitCode = 2;
} else {
  log.info('started', { pid: process.pid, node: process.version });
  serveWorker({
    port,
    log,
    openModel: ({ folder, provider, drawsApart }, onProgress, drawApart) =>
      TextBindModel.open(folder, {
        ...{ provider, onProgress },
        ...(drawsApart === true ? { drawApart } : {}),
      }),
    openDrawer: openDrawingPart,
    exit: (code) => process.exit(code),
  });
}
