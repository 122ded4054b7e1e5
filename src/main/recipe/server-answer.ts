/** What a server says, within limits: it may be anybody's. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';

export const mostAnswerBytes = 4_000_000;
const mostWords = 300;

/** @throws where it says more than `mostBytes` */
export async function readBody(response: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      response.destroy();
      throw new Error(`it said more than ${mostBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const errorSchema = z.union([
  z.object({ error: z.object({ message: z.string() }) }).transform(({ error }) => error.message),
  z.object({ error: z.string() }).transform(({ error }) => error),
  z.object({ message: z.string() }).transform(({ message }) => message),
  z.object({ detail: z.string() }).transform(({ detail }) => detail),
]);

/** The sentence in a refusal, in any of the forms that servers have; empty where there is none. */
export function errorText(text: string): string {
  try {
    const parsed = errorSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.slice(0, mostWords).replace(/\.$/, '') : '';
  } catch {
    return '';
  }
}
