import type {
  AppBridge,
  AppEventBody,
  AppEventName,
  AppReplyBody,
  AppRequestBody,
  AppRequestName,
} from '../../../src/shared/contracts/app-ipc.ts';
import { StudioError, toWireError } from '../../../src/shared/errors.ts';

type Answers = {
  [Name in AppRequestName]?: (
    body: AppRequestBody<Name>,
  ) => AppReplyBody<Name> | Promise<AppReplyBody<Name>>;
};

export interface StubBridge extends AppBridge {
  readonly asked: { readonly name: AppRequestName; readonly body: unknown }[];
  emit<Name extends AppEventName>(name: Name, body: AppEventBody<Name>): void;
}

/** A bridge whose every answer the test gives; what has none is refused as not found. */
export function stubBridge(answers: Answers): StubBridge {
  const receivers = new Set<(name: AppEventName, body: unknown) => void>();
  const asked: StubBridge['asked'] = [];
  return {
    pathOf: () => '',
    platform: 'linux',
    language: { chosen: 'system', preferred: ['en'] },
    asked,
    emit(name, body) {
      for (const receive of receivers) receive(name, body);
    },
    onEvent(receive) {
      receivers.add(receive);
      return () => receivers.delete(receive);
    },
    async request(name, body) {
      asked.push({ name, body });
      try {
        const answer = answers[name] as ((body: unknown) => unknown) | undefined;
        if (answer === undefined) throw new StudioError('not-found', `No answer to ${name}.`);
        return { ok: true, value: await answer(body) };
      } catch (error) {
        return { ok: false, error: toWireError(error) };
      }
    },
  };
}

/** A promise and the functions that settle it. */
export function deferred<Value>(): {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
