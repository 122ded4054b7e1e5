/** A run's events file: the trainer's lines, and the launcher's own between them. Read on from where one stopped. */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { trainerEventSchema } from '../../shared/contracts/trainer-protocol.ts';

/** What the launcher writes: that a process was started, and how it ended where we were there to see it. */
const launcherEventSchema = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('launched'), time: z.number() }),
  z.strictObject({
    event: z.literal('ended'),
    time: z.number(),
    code: z.number().nullable(),
    signal: z.string().nullable(),
  }),
]);
export type LauncherEvent = z.infer<typeof launcherEventSchema>;

const lineSchema = z.union([trainerEventSchema, launcherEventSchema]);
export type RunEvent = z.infer<typeof lineSchema>;

const pieceBytes = 1 << 20;

/** Reads the lines that are new; a line that is still being written waits. */
export class EventLog {
  readonly #file: string;
  #offset = 0;
  /** Lines that were no events: torn by a loss of power, or a later version's. */
  unread = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Gives each new event, oldest first. Gives way between pieces of a megabyte. */
  async readOn(receive: (event: RunEvent) => void): Promise<void> {
    if (!existsSync(this.#file)) return;
    const handle = await open(this.#file, 'r');
    try {
      const { size } = await handle.stat();
      while (this.#offset < size) {
        const wanted = Math.min(pieceBytes, size - this.#offset);
        const piece = Buffer.alloc(wanted);
        const { bytesRead } = await handle.read(piece, 0, wanted, this.#offset);
        const whole = piece.subarray(0, bytesRead).lastIndexOf(newline) + 1;
        if (whole === 0) return;
        this.#offset += whole;
        this.#lines(piece.toString('utf8', 0, whole), receive);
      }
    } finally {
      await handle.close();
    }
  }

  #lines(text: string, receive: (event: RunEvent) => void): void {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const event = parseLine(line);
      if (event === null) this.unread += 1;
      else receive(event);
    }
  }
}

const newline = 0x0a;

function parseLine(line: string): RunEvent | null {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Adds a line of the launcher's; one that was torn before it is closed first, so that it takes no other with it. */
export function appendLauncherEvent(file: string, event: LauncherEvent): void {
  appendFileSync(file, `${endsTorn(file) ? '\n' : ''}${JSON.stringify(event)}\n`);
}

function endsTorn(file: string): boolean {
  if (!existsSync(file)) return false;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    readSync(descriptor, last, 0, 1, size - 1);
    return last[0] !== newline;
  } finally {
    closeSync(descriptor);
  }
}
