// The window of the packaged app, by Chromium's own protocol: one socket, one question at a time or many.

interface Answer {
  readonly id?: number;
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: unknown;
  };
  readonly error?: { readonly message: string };
}

/** A page that can be asked. */
export interface Inspector {
  /** Runs an expression in the page, waits for its promise, and gives its value. @throws where it throws, or the page is gone */
  evaluate(expression: string): Promise<unknown>;
  close(): void;
}

/** Connects to a page's debugging address. */
export async function inspect(address: string, limitMs = 30_000): Promise<Inspector> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, (answer: Answer) => void>();
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`no connection to ${address}`));
  });
  const endAll = (): void => {
    for (const settle of waiting.values()) settle({ error: { message: 'the page is gone' } });
    waiting.clear();
  };
  socket.onclose = endAll;
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id === undefined) return;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  };
  return {
    evaluate(expression) {
      if (socket.readyState !== WebSocket.OPEN) throw new Error('the page is gone');
      const id = (count += 1);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`the page did not answer within ${limitMs / 1000} s`));
        }, limitMs);
        waiting.set(id, ({ result, error }) => {
          clearTimeout(timer);
          if (error !== undefined) return reject(new Error(error.message));
          if (result?.exceptionDetails !== undefined)
            return reject(new Error(JSON.stringify(result.exceptionDetails).slice(0, 500)));
          return resolve(result?.result?.value);
        });
        const params = { expression, awaitPromise: true, returnByValue: true };
        socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
      });
    },
    close() {
      endAll();
      socket.close();
    },
  };
}
