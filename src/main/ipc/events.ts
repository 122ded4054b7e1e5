import { appEvents, type AppEventName } from '../../shared/contracts/app-ipc.ts';
import { appChannels } from '../../shared/contracts/app-channels.ts';
import type { Emit } from '../emit.ts';
import type { Logger } from '../../base/log.ts';

/** Sends events to the window, each checked by its schema; dropped while there is no window. */
export function createEmit(
  send: (channel: string, name: AppEventName, body: unknown) => void,
  log: Logger,
): Emit {
  return (name, body) => {
    const checked = appEvents[name].safeParse(body);
    if (checked.success) send(appChannels.event, name, checked.data);
    else log.error('malformed event', { name, reason: checked.error.issues[0]?.message });
  };
}
