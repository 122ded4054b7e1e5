import type {
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../../src/shared/contracts/worker-protocol.ts';
import type { WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import type { EngineClient, RequestOptions } from '../../../src/main/processes/engine-client.ts';
import { drawnEvent, usage } from './scripted-engine.ts';

/** How a request ends after what it says: by itself, never (until Stop), by the worker's death, or refused. */
export type PlannedEnd = 'end' | 'hang' | 'die' | 'fail';

export interface Plan {
  /** What a reply says, a drawing as its caption in brackets. */
  readonly says?: string;
  readonly ends?: PlannedEnd;
}

/** An engine that does what was planned for each request, in turn. */
export class PlannedEngine implements EngineClient {
  readonly plans: Plan[] = [];
  readonly asked: { readonly name: WorkerRequestName; readonly body: unknown }[] = [];
  #shade = 0;

  whenReady(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new StudioError('cancelled', 'Stopped.'));
    return Promise.resolve();
  }

  modelName(): string {
    return 'Planned model';
  }

  async request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options?: RequestOptions<Name>,
  ): Promise<WorkerReplyBody<Name>> {
    this.asked.push({ name, body });
    const { says = '', ends = 'end' } = this.plans.shift() ?? {};
    const emit = options?.onEvent as ((event: WorkerReplyEvent) => void) | undefined;
    if (name === 'chat.reply') {
      for (const piece of says.split(/(\[[^\]]*\])/).filter((each) => each !== '')) {
        await this.#emit(piece, emit);
      }
    }
    await nextLoop();
    if (ends === 'die') throw new StudioError('worker-crashed', 'The engine was ended by SIGKILL.');
    if (ends === 'fail') throw new StudioError('out-of-memory', 'No memory.');
    if (ends === 'hang') await untilAborted(options?.signal);
    if (name === 'draw') {
      if (ends === 'hang') throw new StudioError('cancelled', 'Stopped.');
      const { caption } = body as WorkerRequestBody<'draw'>;
      return this.#drawn(caption) as never;
    }
    return { finish: ends === 'hang' ? 'cancelled' : 'end', usage } as never;
  }

  async #emit(piece: string, emit: ((event: WorkerReplyEvent) => void) | undefined): Promise<void> {
    const caption = /^\[(.*)\]$/.exec(piece)?.[1];
    if (caption === undefined) emit?.({ kind: 'text', text: piece });
    else {
      emit?.({ kind: 'caption-started' });
      emit?.({ kind: 'caption-finished', caption });
      emit?.(this.#drawn(caption));
    }
    await nextLoop();
  }

  #drawn(caption: string): ReturnType<typeof drawnEvent> {
    this.#shade = (this.#shade + 1) % 251;
    return drawnEvent(caption, this.#shade);
  }
}

function nextLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  while (signal?.aborted === false) await nextLoop();
}
