import type {
  WorkerReplyBody,
  WorkerRequestBody,
  WorkerRequestName,
} from '../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import type { EngineClient, RequestOptions } from './engine-client.ts';

/** One loan of the engine to somebody else than the person at the window. */
export interface EngineLoan {
  /** Aborted when the person wants it. */
  readonly recalled: AbortSignal;
  request<Name extends WorkerRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options: RequestOptions<Name> & { readonly signal: AbortSignal },
  ): Promise<WorkerReplyBody<Name>>;
  giveBack(): void;
}

/** The one engine, for its owner and for guests. */
export interface SharedEngine {
  /** The owner's way to it: what asks here goes before every guest. */
  readonly own: EngineClient;
  /** Whether the owner has asked for something that is not answered yet. */
  isOwnersTurn(): boolean;
  /** Resolves when a model is open and the owner wants nothing. One guest at a time is the guests' own affair. */
  lend(signal: AbortSignal): Promise<EngineLoan>;
}

/** These work with the model; the rest disturbs nobody. */
const taking: ReadonlySet<WorkerRequestName> = new Set(['chat.reply', 'draw']);

/**
 * Shares an engine: a guest's work is recalled the moment its owner asks for something, and waits until nothing of the
 * owner's is left. The worker takes requests in order, and leaves one that is stopped within a run.
 * @param engine as guests use it
 * @param guarded as its owner does
 * @param onTurn called when it becomes the owner's turn, and when that ends
 */
export function shareEngine(
  engine: EngineClient,
  guarded: EngineClient,
  onTurn: () => void = () => undefined,
): SharedEngine {
  const shares = new Shares(onTurn);
  return {
    own: {
      whenReady: (signal) => guarded.whenReady(signal),
      modelName: () => guarded.modelName(),
      async request<Name extends WorkerRequestName>(
        name: Name,
        body: WorkerRequestBody<Name>,
        options?: RequestOptions<Name>,
      ): Promise<WorkerReplyBody<Name>> {
        if (!taking.has(name)) return guarded.request(name, body, options);
        const end = shares.begin();
        try {
          return await guarded.request(name, body, options);
        } finally {
          end();
        }
      },
    },
    isOwnersTurn: () => shares.isTaken,
    async lend(signal) {
      for (;;) {
        await shares.free(signal);
        await engine.whenReady(signal);
        // The owner may have come while a model was opened.
        if (!shares.isTaken) return shares.loan(engine);
      }
    },
  };
}

class Shares {
  readonly #loans = new Set<AbortController>();
  readonly #waiting = new Set<() => void>();
  readonly #onTurn: () => void;
  #owners = 0;

  constructor(onTurn: () => void) {
    this.#onTurn = onTurn;
  }

  get isTaken(): boolean {
    return this.#owners > 0;
  }

  /** The owner asks: guests leave. Gives what is called when it is answered. */
  begin(): () => void {
    this.#owners += 1;
    for (const loan of this.#loans) loan.abort(new StudioError('cancelled', 'It was recalled.'));
    this.#loans.clear();
    if (this.#owners === 1) this.#onTurn();
    return () => {
      this.#owners -= 1;
      if (this.#owners > 0) return;
      this.#onTurn();
      for (const resume of [...this.#waiting]) resume();
    };
  }

  free(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(cancelled());
    if (!this.isTaken) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(resume);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => (end(), reject(cancelled()));
      const resume = (): void => (end(), resolve());
      this.#waiting.add(resume);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  loan(engine: EngineClient): EngineLoan {
    const recall = new AbortController();
    this.#loans.add(recall);
    return {
      recalled: recall.signal,
      request: (name, body, options) => engine.request(name, body, options),
      giveBack: () => void this.#loans.delete(recall),
    };
  }
}

function cancelled(): StudioError {
  return new StudioError('cancelled', 'It was stopped.');
}
