/** A process that does for main what could hold it up: looks through one copy of the database, or asks other drives. */
import { stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import type { Port } from '../../base/port.ts';
import { processPort } from '../../base/process-port.ts';
import {
  toKeeperSchema,
  type FromDrives,
  type FromKeeper,
} from '../../shared/contracts/keeper-protocol.ts';
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
    if (!parsed.success) return;
    if ('file' in parsed.data) port.postMessage(answer(parsed.data.file));
    else askAll(parsed.data.places, port);
  });
}

function answer(file: string): FromKeeper {
  try {
    return { facts: inspectCopy(file) };
  } catch (error) {
    return { error: toWireError(toStorageError(error)) };
  }
}

function askAll(places: readonly string[], to: Port): void {
  to.postMessage({ asking: true } satisfies FromDrives);
  for (const place of places) void ask(place, to);
}

/** Each by itself: those on a dead drive are never heard of again. */
async function ask(place: string, to: Port): Promise<void> {
  await stat(place).catch(() => null);
  to.postMessage({ answered: place } satisfies FromDrives);
}
