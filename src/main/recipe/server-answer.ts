/** What a server says, within limits: it may be anybody's. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { shortText } from '../../base/chunks.ts';

export const mostAnswerBytes = 4_000_000;
const mostWords = 300;

/** @throws where it says more than `mostBytes` */
export function readBody(response: IncomingMessage, mostBytes: number): Promise<string> {
  return shortText(response, mostBytes, () => new Error(`it said more than ${mostBytes} bytes`));
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
