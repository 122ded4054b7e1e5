import type {
  WorkerEventBody,
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import type { LogFields } from '../../base/log.ts';

export interface RequestOptions<Name extends WorkerRequestName> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: WorkerEventBody<Name>) => void;
  /** Whom it is for, by their ids: they stand in the log line of the request. */
  readonly about?: LogFields;
}

/** What is done instead of asking the engine, by the request's name. */
export type Detours = {
  readonly [Name in WorkerRequestName]?: (
    body: WorkerRequestBody<Name>,
    options: RequestOptions<Name>,
  ) => Promise<WorkerReplyBody<Name>>;
};

/** The engine as a conversation uses it; the worker behind it may come and go. */
export interface EngineClient {
  /**
   * Resolves when a model is open. Rejects with `cancelled` when `signal` aborts, `worker-crashed` when the worker is
   * halted or stopped, and the model's own error where it could not be opened.
   */
  whenReady(signal: AbortSignal): Promise<void>;
  /** Asks the worker. Rejects with `worker-crashed` when it dies under the request. */
  request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options?: RequestOptions<Name>,
  ): Promise<WorkerReplyBody<Name>>;
  /** Name of the open model. */
  modelName(): string | null;
}

/** The engine, some of whose requests take another way. */
export function withDetours(engine: EngineClient, detours: Detours): EngineClient {
  return {
    whenReady: (signal) => engine.whenReady(signal),
    modelName: () => engine.modelName(),
    request(name, body, options) {
      const detour = detours[name];
      return detour?.(body, options ?? {}) ?? engine.request(name, body, options);
    },
  };
}
