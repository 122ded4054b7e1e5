import type { NetworkModel } from '../networks/models.ts';
import type { Session } from '../runtime/index.ts';
import { openNetwork, type Placement } from './network.ts';

/**
 * A network that is open while somebody uses it, and, where it is kept, from then on. Reopening costs the time to read
 * its weights; in exchange networks that run one after the other need not fit into memory together.
 */
export class NetworkOnDemand {
  readonly #network: () => NetworkModel;
  readonly #placement: Placement;
  readonly #kept: boolean;
  #session: Promise<Session> | null = null;
  #users = 0;

  constructor(network: () => NetworkModel, placement: Placement, kept: boolean) {
    this.#network = network;
    this.#placement = placement;
    this.#kept = kept;
  }

  get isOpen(): boolean {
    return this.#session !== null;
  }

  /** Opens it now, where it is kept: what is wrong with it is told before anything is drawn. */
  async prepare(): Promise<void> {
    if (this.#kept) await this.#open();
  }

  /** Lends the session to `work`, which may use it again within. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await work(await this.#open());
    } finally {
      this.#users -= 1;
      if (!this.#kept && this.#users === 0) await this.release();
    }
  }

  /** Gives its memory back. */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await (await session?.catch(() => null))?.release();
  }

  #open(): Promise<Session> {
    this.#session ??= openNetwork(this.#network(), this.#placement).catch((error: unknown) => {
      this.#session = null;
      throw error;
    });
    return this.#session;
  }
}
