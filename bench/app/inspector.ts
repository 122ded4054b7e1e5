// The window of the packaged app, by Chromium's own protocol: one socket, one question at a time or many.

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result?: { readonly value?: unknown };
  readonly exceptionDetails?: unknown;
}

/** What the page keeps after Chromium has collected what nobody reaches any more. */
export interface Kept {
  /** Bytes of JavaScript's heap. */
  readonly heap: number;
  /** Nodes of all documents, those that are in none among them. */
  readonly nodes: number;
  readonly listeners: number;
}

/** What the debugger answers about a page that died or was loaded anew while it was asked. */
const pageLeft =
  /Execution context was destroyed|Cannot find context|navigated or closed|Target crashed/;

/** A page that can be asked. */
export interface Inspector {
  /** Runs an expression in the page, waits for its promise, and gives its value. @throws where it throws, or the page is gone */
  evaluate(expression: string): Promise<unknown>;
  /** Collects, then counts. Takes the page some tenths of a second. */
  kept(): Promise<Kept>;
  close(): void;
}

/** Connects to a page's debugging address. @param limitMs how long one answer is waited for */
export async function inspect(address: string, limitMs: number): Promise<Inspector> {
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
  /** @throws where the page refuses, does not answer, or is gone */
  const ask = (method: string, params: object = {}): Promise<unknown> => {
    if (socket.readyState !== WebSocket.OPEN) throw new Error('the page is gone');
    const id = (count += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`the page did not answer within ${limitMs / 1000} s`));
      }, limitMs);
      waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(result);
        else reject(new Error(pageLeft.test(error.message) ? 'the page is gone' : error.message));
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  };
  return {
    async evaluate(expression) {
      const params = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = (await ask('Runtime.evaluate', params)) as Evaluated;
      if (exceptionDetails !== undefined)
        throw new Error(JSON.stringify(exceptionDetails).slice(0, 500));
      return result?.value;
    },
    async kept() {
      await ask('HeapProfiler.enable');
      await ask('HeapProfiler.collectGarbage');
      await ask('HeapProfiler.disable');
      const { usedSize: heap } = (await ask('Runtime.getHeapUsage')) as { usedSize: number };
      const counters = (await ask('Memory.getDOMCounters')) as {
        nodes: number;
        jsEventListeners: number;
      };
      return { heap, nodes: counters.nodes, listeners: counters.jsEventListeners };
    },
    close() {
      endAll();
      socket.close();
    },
  };
}
