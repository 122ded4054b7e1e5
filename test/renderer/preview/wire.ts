import type {
  AppEventName,
  AppReplyEnvelope,
  AppRequestName,
} from '../../../src/shared/contracts/app-ipc.ts';

/** What page and server of the preview say to each other over the development server's own socket, which is JSON. */
export interface PreviewMessages {
  'preview:request': { readonly id: number; readonly name: AppRequestName; readonly body: unknown };
  'preview:reply': { readonly id: number; readonly envelope: AppReplyEnvelope };
  'preview:event': { readonly name: AppEventName; readonly body: unknown };
}

const marker = '$bytes';

/** A value as JSON text; bytes are written as base64. */
export function pack(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each instanceof Uint8Array ? { [marker]: toBase64(each) } : each,
  );
}

/** The reverse of {@link pack}. */
export function unpack(text: string): unknown {
  return JSON.parse(text, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && marker in each
      ? fromBase64(String(each[marker]))
      : each,
  );
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
