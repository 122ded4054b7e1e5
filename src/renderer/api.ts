import {
  appEvents,
  appProtocols,
  appReplyEnvelopeSchema,
  appRequests,
  type AppBridge,
  type AppEventBody,
  type AppEventName,
  type AppReplyBody,
  type AppRequestBody,
  type AppRequestName,
} from '../shared/contracts/app-ipc.ts';
import type { LanguageStart } from '../shared/texts/language.ts';
import { fromWireError, StudioError, toWireError, type WireError } from '../shared/errors.ts';

declare global {
  interface Window {
    /** Put there by preload, or by the preview with its fake. */
    readonly api: AppBridge;
  }
}

/** The window's only way out: requests to main, events from it, and where pictures are shown from. */
export interface Api {
  /** Resolves with the checked reply; rejects with a StudioError whose message is a sentence for a person. */
  request<Name extends AppRequestName>(
    name: Name,
    body: AppRequestBody<Name>,
  ): Promise<AppReplyBody<Name>>;
  /** Calls back for each event of that name; the function returned ends it. */
  on<Name extends AppEventName>(
    name: Name,
    receive: (body: AppEventBody<Name>) => void,
  ): () => void;
  /** Address to show a stored picture from. `hash` is the SHA-256 of its file. */
  pictureUrl(hash: string): string;
  /** The same picture made small, for a tile. */
  thumbnailUrl(hash: string): string;
  /** Where a file lies that the person dropped; empty where it has no place. */
  pathOf(file: File): string;
  readonly platform: string;
  /** The desktop's languages, and what was chosen when the window was made. */
  readonly language: LanguageStart;
}

export interface ApiOptions {
  readonly pictureUrl?: (hash: string) => string;
  readonly thumbnailUrl?: (hash: string) => string;
}

/** The typed client over the bridge. Replies and events are checked here, since they come from another process. */
export function createApi(bridge: AppBridge, options: ApiOptions = {}): Api {
  const receivers = new Map<AppEventName, Set<(body: unknown) => void>>();
  const problem = (error: WireError): void => {
    for (const receive of receivers.get('app.problem') ?? []) receive({ error });
  };

  bridge.onEvent((name, body) => {
    const listening = receivers.get(name);
    if (listening === undefined || listening.size === 0) return;
    const checked = appEvents[name].safeParse(body);
    if (!checked.success) {
      problem(malformed(`event "${name}"`, checked.error));
      return;
    }
    for (const receive of listening) receive(checked.data);
  });

  return {
    pathOf: (file) => bridge.pathOf(file),
    platform: bridge.platform,
    language: bridge.language,
    pictureUrl: options.pictureUrl ?? ((hash) => `${appProtocols.picture}://picture/${hash}`),
    thumbnailUrl: options.thumbnailUrl ?? ((hash) => `${appProtocols.picture}://thumbnail/${hash}`),
    async request(name, body) {
      const envelope = appReplyEnvelopeSchema.safeParse(await bridge.request(name, body));
      if (!envelope.success) throw fromWireError(malformed(`reply to "${name}"`, envelope.error));
      if (!envelope.data.ok) throw fromWireError(envelope.data.error);
      const reply = appRequests[name].reply.safeParse(envelope.data.value);
      if (!reply.success) throw fromWireError(malformed(`reply to "${name}"`, reply.error));
      // The schema of `name` has just said so; TypeScript cannot follow the index through the generic.
      return reply.data as AppReplyBody<typeof name>;
    },
    on(name, receive) {
      const listening = receivers.get(name) ?? new Set();
      receivers.set(name, listening);
      const receiver = receive as (body: unknown) => void;
      listening.add(receiver);
      return () => listening.delete(receiver);
    },
  };
}

function malformed(what: string, cause: unknown): WireError {
  return toWireError(
    new StudioError('internal', `The ${what} from the app's main process could not be read.`, {
      cause,
    }),
  );
}
