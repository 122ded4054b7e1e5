import type { WorkerReplyEvent } from '../../../src/shared/contracts/reply-event.ts';
import type {
  FinishReason,
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../../src/shared/contracts/worker-protocol.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import type { EngineClient, RequestOptions } from '../../../src/main/processes/engine-client.ts';
import { encodePng } from '../../support/png.ts';
import { until } from './node-spawn.ts';

export const usage = {
  promptTokens: 10,
  replyTokens: 5,
  prefillSeconds: 0.5,
  decodeSeconds: 1,
  firstTokenSeconds: 0.6,
  pictures: 0,
  drawSeconds: 0,
};

/** One request as a test answers it, step by step. */
export class AskedRequest {
  readonly name: WorkerRequestName;
  readonly body: never;
  readonly signal: AbortSignal | undefined;
  readonly #onEvent: ((event: never) => void) | undefined;
  readonly #resolve: (reply: unknown) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    name: WorkerRequestName,
    body: unknown,
    options: { signal?: AbortSignal; onEvent?: (event: never) => void } | undefined,
    resolve: (reply: unknown) => void,
    reject: (error: Error) => void,
  ) {
    this.name = name;
    this.body = body as never;
    this.signal = options?.signal;
    this.#onEvent = options?.onEvent;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  async emit(...events: WorkerReplyEvent[]): Promise<void> {
    for (const event of events) this.#onEvent?.(event as never);
    await settled();
  }

  async end(finish: FinishReason = 'end'): Promise<void> {
    this.#resolve({ finish, usage });
    await settled();
  }

  async reply(body: unknown): Promise<void> {
    this.#resolve(body);
    await settled();
  }

  async fail(error: StudioError): Promise<void> {
    this.#reject(error);
    await settled();
  }
}

/** An engine whose every request is answered by the test. */
export class ScriptedEngine implements EngineClient {
  readonly asked: AskedRequest[] = [];
  /** Set to make whoever waits for the engine fail. */
  notReady: StudioError | null = null;

  whenReady(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new StudioError('cancelled', 'Stopped.'));
    return this.notReady === null ? Promise.resolve() : Promise.reject(this.notReady);
  }

  request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options?: RequestOptions<Name>,
  ): Promise<WorkerReplyBody<Name>> {
    return new Promise((resolve, reject) => {
      const request = new AskedRequest(name, body, options as never, resolve as never, reject);
      this.asked.push(request);
    });
  }

  modelName(): string {
    return 'Scripted model';
  }

  /** The newest request, once it is there. */
  async next(count = this.asked.length + 1): Promise<AskedRequest> {
    // Before it a picture may have to be stored, which takes a slow disk its time.
    await until(() => this.asked.length >= count, `request ${count}`);
    await settled();
    return this.asked[count - 1]!;
  }
}

/** Lets what is under way come to rest, files included. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function drawnEvent(
  caption = 'a red apple',
  shade = 1,
): Extract<WorkerReplyEvent, { kind: 'picture' }> {
  return {
    kind: 'picture',
    png: encodePng(16, 16, shade),
    width: 16,
    height: 16,
    caption,
    recipe: { seed: 7, steps: 3, guidance: 5, model: 'Scripted model' },
    seconds: 1,
  };
}
