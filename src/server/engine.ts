import type { DrawnPicture, WorkerReplyEvent } from '../shared/contracts/reply-event.ts';
import type {
  WorkerEventBody,
  WorkerReplyBody,
  WorkerRequestBody,
} from '../shared/contracts/worker-protocol.ts';
import type { DrawingSettings, Sampling } from '../shared/domain/settings.ts';

/** The model that is open, as clients know it. */
export interface ServedModel {
  /** What clients call it: its folder's name. */
  readonly id: string;
  readonly name: string;
  /** What its pictures may be; null where it draws none. Pixels. */
  readonly drawing: { readonly side: number; readonly step: number } | null;
  readonly maxSequenceLength: number;
  /** When it was opened, milliseconds since the epoch. */
  readonly openedAt: number;
}

/** What a client may ask the engine for. */
export type LentRequestName = 'chat.reply' | 'draw';

export interface LentRequestOptions<Name extends LentRequestName> {
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkerEventBody<Name>) => void;
}

/** The engine for a while. It may be wanted back at any moment: what it does then ends as `cancelled`. */
export interface Loan {
  /** Aborted when its owner wants it. */
  readonly recalled: AbortSignal;
  request<Name extends LentRequestName>(
    name: Name,
    body: WorkerRequestBody<Name>,
    options: LentRequestOptions<Name>,
  ): Promise<WorkerReplyBody<Name>>;
  giveBack(): void;
}

/** What the server stands on. All of it is handed in: the app has it one way, the command another. */
export interface ServedEngine {
  /** The open model, once there is one. @throws StudioError where there will be none */
  model(signal: AbortSignal): Promise<ServedModel>;
  /** Resolves when its owner does not need it. */
  borrow(signal: AbortSignal): Promise<Loan>;
  /** Whether the owner works with it at this moment. */
  isOwnersTurn(): boolean;
  /** Decodes a picture for trial. @throws StudioError `bad-input` with a sentence that begins with `name` */
  checkPicture(bytes: Uint8Array, name: string, signal: AbortSignal): Promise<void>;
  /** Where a client says nothing. */
  defaults(): { readonly sampling: Sampling; readonly drawing: DrawingSettings };
}

export type { DrawnPicture, WorkerReplyEvent };
