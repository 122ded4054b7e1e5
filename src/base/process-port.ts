import type { Port } from './port.ts';

/** What of Electron's `process.parentPort` is used. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  postMessage(message: unknown): void;
}

/**
 * The way to whoever started this process: Electron's parent port in a utility process, the IPC channel in a plain
 * child process (with advanced serialisation). Null where there is neither.
 */
export function processPort(): Port | null {
  return parentPort() ?? channelPort();
}

function parentPort(): Port | null {
  // Electron adds it; its types do not load here.
  const parent = (process as { parentPort?: ParentPort }).parentPort;
  if (parent === undefined) return null;
  return {
    postMessage: (message) => parent.postMessage(message),
    onMessage: (receive) => void parent.on('message', ({ data }) => receive(data)),
    close: () => {},
  };
}

function channelPort(): Port | null {
  if (process.send === undefined) return null;
  // Main is gone: nobody will ever read an answer.
  process.once('disconnect', () => process.exit(0));
  return {
    postMessage: (message) => void process.send?.(message),
    onMessage: (receive) => void process.on('message', receive),
    close: () => {},
  };
}
