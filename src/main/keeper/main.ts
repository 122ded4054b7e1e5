/** A process that looks through one copy of the database and ends. Main starts it, so that no request waits for it. */
import { constants, setPriority } from 'node:os';
import { processPort } from '../../base/process-port.ts';
import { toKeeperSchema, type FromKeeper } from '../../shared/contracts/keeper-protocol.ts';
import { toWireError } from '../../shared/errors.ts';
import { inspectCopy } from '../database/copy-facts.ts';
import { toStorageError } from '../database/sqlite-errors.ts';

const port = processPort();
if (port === null) {
  process.stderr.write('The keeper is started by the app; the command is "textbind".\n');
  process.exitCode = 2;
} else {
  // Nobody waits for it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  port.onMessage((message) => {
    const parsed = toKeeperSchema.safeParse(message);
    if (parsed.success) port.postMessage(answer(parsed.data.file));
  });
}

function answer(file: string): FromKeeper {
  try {
    return { facts: inspectCopy(file) };
  } catch (error) {
    return { error: toWireError(toStorageError(error)) };
  }
}
