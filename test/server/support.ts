import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import OpenAI from 'openai';
import { silentLogger } from '../../src/base/log.ts';
import type { ServedEngine } from '../../src/server/engine.ts';
import {
  freshKey,
  startLocalServer,
  type LocalServer,
  type LocalServerOptions,
} from '../../src/server/server.ts';

export const root = path.resolve(import.meta.dirname, '../..');
export const embeddedModel = path.join(root, 'models', 'textbind-mini');

/** A server over an engine, and the official client for it. */
export interface Served {
  readonly server: LocalServer;
  readonly key: string;
  /** Where pictures of requests lie. */
  readonly folder: string;
  readonly client: OpenAI;
  close(): Promise<void>;
}

export async function serve(
  engine: ServedEngine,
  options: Partial<LocalServerOptions> = {},
): Promise<Served> {
  const outer = mkdtempSync(path.join(tmpdir(), 'textbind-server-'));
  const folder = path.join(outer, 'requests');
  const key = freshKey();
  const server = await startLocalServer({
    ...{ engine, key, folder, port: 0, log: silentLogger },
    ...options,
  });
  const client = new OpenAI({ apiKey: key, baseURL: server.address, maxRetries: 0 });
  return {
    ...{ server, key, folder, client },
    async close() {
      await server.close();
      rmSync(outer, { recursive: true, force: true });
    },
  };
}

/** A picture beside the words of an answer, as our server adds it. */
export interface DrawnImage {
  readonly type: string;
  readonly image_url: { readonly url: string };
  readonly hash: string;
  readonly caption: string;
}

/** Fields of ours that the official types do not have. */
export function imagesOf(message: object): readonly DrawnImage[] {
  return 'images' in message ? (message.images as readonly DrawnImage[]) : [];
}

/** The bytes of a `data:` address. */
export function bytesOf(url: string): Buffer {
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}
