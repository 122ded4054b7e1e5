// Between the one who kills and what is killed. Both are ours and of one build: nothing is checked.
import type { AppRequestBody } from '../../src/shared/contracts/app-ipc.ts';
import type { EngineStatus } from '../../src/shared/domain/engine-status.ts';
import type { ReplyMessage } from '../../src/shared/domain/reply.ts';

type AskedOf<Name extends 'chat.send' | 'chat.edit' | 'chat.regenerate' | 'settings.set'> = {
  readonly [Each in Name]: {
    readonly id: number;
    readonly name: Each;
    readonly body: AppRequestBody<Each>;
  };
}[Name];

export type Asked =
  | AskedOf<'chat.send' | 'chat.edit' | 'chat.regenerate' | 'settings.set'>
  | { readonly id: number; readonly name: 'engine.restart'; readonly body: null };

export type Said =
  /** Storage is open; so many turns were still marked as being written, which none may be after a start. */
  | { readonly kind: 'open'; readonly streaming: number; readonly notice: string | null }
  | { readonly kind: 'engine'; readonly state: EngineStatus['state']; readonly pid: number | null }
  | { readonly kind: 'reply'; readonly message: ReplyMessage }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly reason: string };
