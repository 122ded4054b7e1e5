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
