import path from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { readPictureHeader } from '../main/pictures/header.ts';
import type { EngineClient } from '../main/processes/engine-client.ts';
import { Engine, type ModelChoice } from '../main/processes/engine.ts';
import { createNodeSpawn } from '../main/processes/node-spawn.ts';
import { createPictureDecoder } from '../main/processes/picture-decoder.ts';
import { shareEngine, type SharedEngine } from '../main/processes/shared-engine.ts';
import type { ServedEngine } from '../server/engine.ts';
import { createServedEngine } from '../server/served-engine.ts';
import { drawingSchema, samplingSchema } from '../shared/domain/settings.ts';
import { livelySampling } from './commands/chat.ts';

/** The engine in a process of its own, as the app has it: a crash ends a reply, and not who serves it. */
export interface LocalEngine {
  readonly served: ServedEngine;
  /** Goes before whatever is served. */
  readonly own: EngineClient;
  /** As a guest. */
  readonly lend: SharedEngine['lend'];
  close(): Promise<void>;
}

/** A process's entry beside the command's: sources in a checkout, built files where it is installed. */
export function entryOf(...names: readonly string[]): string {
  return path.join(import.meta.dirname, '..', ...names) + path.extname(import.meta.filename);
}

/** Starts it with a model. @throws StudioError where the model cannot be opened */
export async function openLocalEngine(
  choice: ModelChoice,
  log: Logger,
  signal: AbortSignal,
): Promise<LocalEngine> {
  const clock = systemClock;
  const spawn = createNodeSpawn({ entry: entryOf('worker', 'main') });
  const engine = new Engine({
    ...{ spawn, spawnDrawing: spawn, clock, log },
    choice: () => choice,
    onStatus: () => undefined,
  });
  const decoderSpawn = createNodeSpawn({ entry: entryOf('worker', 'decoder', 'main') });
  const decoder = createPictureDecoder({ spawn: decoderSpawn, clock, log });
  const shared = shareEngine(engine, engine);
  const close = async (): Promise<void> => {
    decoder.close();
    await engine.close();
  };
  try {
    engine.start();
    await engine.whenReady(signal);
  } catch (error) {
    await close();
    throw error;
  }
  const served = createServedEngine({
    ...{ engine, shared },
    async checkPicture(bytes, name, until) {
      readPictureHeader(bytes, name);
      await decoder.check(bytes, name, until);
    },
    defaults: () => ({
      sampling: samplingSchema.parse(livelySampling),
      drawing: drawingSchema.parse({}),
    }),
  });
  return { served, own: shared.own, lend: (until) => shared.lend(until), close };
}
