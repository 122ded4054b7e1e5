// The embedded model in the real worker process: seconds from send to the first words, and a picture.
import { fork } from 'node:child_process';
import path from 'node:path';
import { median, note, type Line } from './report.ts';

const root = path.resolve(import.meta.dirname, '../..');
const rounds = 5;

type Message = {
  type: string;
  id?: string;
  body?: { kind?: string };
  error?: { message?: string };
};

/** The worker over its IPC channel: one request at a time. */
function startWorker() {
  const child = fork(path.join(root, 'src/worker/main.ts'), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let count = 0;
  const request = (
    name: string,
    body: unknown,
    onEvent: (body: { kind?: string }) => void = () => undefined,
  ): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = `bench-${++count}`;
      const listen = (message: Message): void => {
        if (message.id !== id) return;
        if (message.type === 'event') return onEvent(message.body ?? {});
        child.off('message', listen);
        if (message.type === 'reply') resolve(message.body);
        else reject(new Error(`${name}: ${message.error?.message ?? message.type}`));
      };
      child.on('message', listen);
      child.send({ type: 'request', id, name, body });
    });
  return { request, end: () => void child.kill('SIGKILL') };
}

const sampling = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 32, seed: 1 };
const drawing = { steps: 40, guidance: 5, negative: '', seed: 1, enabled: true };
const questions = ['Hello!', 'What can you do?', 'Tell me about foxes.', 'Why?', 'Good morning.'];

/** @param folder the model's folder @returns lines of the report */
export async function benchChat(folder: string): Promise<Line[]> {
  const worker = startWorker();
  try {
    const begin = performance.now();
    await worker.request('model.open', { folder, provider: 'cpu' });
    const opening = (performance.now() - begin) / 1000;
    const first: number[] = [];
    for (const text of questions.slice(0, rounds)) {
      const turns = [{ role: 'user', parts: [{ kind: 'text', text }] }];
      const sent = performance.now();
      let seconds = Number.NaN;
      const off = { ...drawing, enabled: false };
      await worker.request('chat.reply', { turns, sampling, drawing: off }, ({ kind }) => {
        if (Number.isNaN(seconds) && kind !== 'notice') seconds = (performance.now() - sent) / 1000;
      });
      if (!Number.isNaN(seconds)) first.push(seconds);
    }
    const pictures: number[] = [];
    for (let round = 0; round < 3; round++) {
      const sent = performance.now();
      await worker.request('draw', { caption: 'a red apple on a table', drawing });
      pictures.push((performance.now() - sent) / 1000);
    }
    const lines: Line[] = [
      { name: 'opening the embedded model', unit: 's', value: opening },
      { name: 'send to first words', unit: 's', value: median(first) },
      { name: 'a picture', unit: 's', value: median(pictures), remark: `${drawing.steps} steps` },
    ];
    if (first.length < rounds) note(`${rounds - first.length} replies had no words`);
    return lines;
  } finally {
    worker.end();
  }
}
