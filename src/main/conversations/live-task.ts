import type { Clock } from '../../base/clock.ts';
import type { Store } from '../database/store.ts';
import type { Emit } from '../emit.ts';
import type { Logger } from '../../base/log.ts';
import type { PictureStore } from '../pictures/store.ts';
import type { EngineClient } from '../processes/engine-client.ts';
import type { LiveReply } from './live-reply.ts';

/** What a reply or a drawing needs of the rest. */
export interface ChatDependencies {
  readonly store: Store;
  readonly pictures: PictureStore;
  readonly engine: EngineClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: Emit;
}

/** Something that the engine does for one turn, from its queueing to its end. */
export interface LiveTask {
  readonly conversationId: string;
  readonly turnId: string;
  /** The turn as it is at this moment, fresher than what is stored. */
  readonly live: Pick<LiveReply, 'snapshot' | 'begin'>;
  /** Does it, and settles the turn whatever happens; never rejects. */
  run(): Promise<void>;
  /** A person pressed Stop. */
  stop(): void;
  /** The app ends: stores what there is, at once, and takes nothing more. */
  interrupt(): void;
}
