import {
  appRequests,
  type AppReplyEnvelope,
  type AppRequestName,
} from '../../shared/contracts/app-ipc.ts';
import { appChannels } from '../../shared/contracts/app-channels.ts';
import { isStudioError, StudioError, toWireError } from '../../shared/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { AppHandlers } from './handlers.ts';

/** The part of ipcMain that is used; a test has its own. */
export interface RequestChannel {
  handle(channel: string, listener: (event: unknown, ...args: unknown[]) => unknown): void;
}

export interface RouterOptions {
  readonly channel: RequestChannel;
  readonly handlers: AppHandlers;
  /** Whether an event comes from our page, in the main frame of our window. */
  readonly isOurs: (event: unknown) => boolean;
  readonly log: Logger;
}

/** Answers every request of the contract: sender, name, and both bodies are checked, and nothing is ever thrown. */
export function setupRequests(options: RouterOptions): void {
  options.channel.handle(appChannels.request, (event, name, body) =>
    answer(options, event, name, body),
  );
}

async function answer(
  options: RouterOptions,
  event: unknown,
  name: unknown,
  body: unknown,
): Promise<AppReplyEnvelope> {
  try {
    if (!options.isOurs(event)) {
      throw new StudioError('bad-input', 'A request came from elsewhere than the window.');
    }
    if (!isRequestName(name)) {
      throw new StudioError('bad-input', `There is no request ${String(name).slice(0, 100)}.`);
    }
    return { ok: true, value: await call(options.handlers, name, body) };
  } catch (error) {
    const wire = toWireError(error);
    const expected = isStudioError(error) && error.kind !== 'internal';
    options.log[expected ? 'warn' : 'error']('request refused', {
      name: String(name).slice(0, 100),
      kind: wire.kind,
      detail: expected ? undefined : wire.detail,
    });
    return { ok: false, error: wire };
  }
}

async function call(handlers: AppHandlers, name: AppRequestName, body: unknown): Promise<unknown> {
  const contract = appRequests[name];
  const request = contract.request.safeParse(body);
  if (!request.success) {
    const issue = request.error.issues[0];
    const where = [name, ...(issue?.path ?? [])].join('.');
    throw new StudioError('bad-input', `${where}: ${issue?.message}`);
  }
  // The contract pairs each name with its bodies; TypeScript cannot follow that through a lookup by a variable.
  const handler = handlers[name] as (body: unknown) => unknown;
  const reply = contract.reply.safeParse(await handler(request.data));
  if (reply.success) return reply.data;
  throw new StudioError('internal', `The reply to ${name} is not what was agreed.`, {
    cause: reply.error,
  });
}

function isRequestName(name: unknown): name is AppRequestName {
  return typeof name === 'string' && Object.hasOwn(appRequests, name);
}
