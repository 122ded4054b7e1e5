// A hub look-alike on loopback: the API and the file layout of the Hugging Face hub with repositories of a test's own,
// and every way to behave badly that downloads have met.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is done to one answer that carries bytes of a file. */
export type HubFault =
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'drop'; readonly after: number }
  /** Nothing comes any more after so many bytes; the connection stays. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The header promises so many bytes more (or fewer) than come. */
  | { readonly kind: 'lie'; readonly by: number }
  /** One byte is another. */
  | { readonly kind: 'corrupt'; readonly at: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** Gives the whole file where a piece was asked for. */
  | { readonly kind: 'whole' }
  /** Says that the piece begins elsewhere, and gives that. */
  | { readonly kind: 'shifted' }
  /** Gives another page in place of the file, as the sign-in page of a network does. */
  | { readonly kind: 'page' }
  /** The file is replaced in the repository, then answered. */
  | { readonly kind: 'change'; readonly content: Buffer };

export interface HubRepositoryContent {
  readonly files: Map<string, Buffer>;
  gated: boolean;
  licence: string | null;
  /** Bytes that the listing says of files, where that is not what they have. */
  readonly claims: Map<string, number>;
}

export interface HubRequest {
  readonly path: string;
  readonly range: string | null;
  readonly authorization: string | null;
}

/** Files over so many bytes are told as LFS, with their SHA-256. */
const lfsBytes = 1000;
/** Entries on a page of a listing: few, so that there is more than one. */
const pageEntries = 3;

export class Hub {
  readonly repositories = new Map<string, HubRepositoryContent>();
  /** Packages of a NuGet feed that lies on the same host, by the name of their file. */
  readonly packages = new Map<string, Buffer>();
  readonly requests: HubRequest[] = [];
  /** Bytes of files that were sent. */
  sentBytes = 0;
  /** Asked for each answer that carries bytes of a file. */
  fault: (request: HubRequest) => HubFault | null = () => null;
  /** What gated repositories want to hear. */
  token = 'hf_of_the_test';
  /** Between two pieces of a body, so that something can happen meanwhile. Milliseconds. */
  paceMs = 0;
  /** Bytes of such a piece. */
  paceBytes = 64 * 1024;
  readonly #server = this.#create();
  /** As the hub's, bytes come from another host. */
  readonly #store = this.#create();

  #create(): Server {
    return createServer((request, response) => void this.#answer(request, response));
  }

  /** Behaves well again, and forgets what it was asked. */
  reset(): void {
    this.fault = () => null;
    this.requests.length = 0;
    this.sentBytes = 0;
    this.paceMs = 0;
  }

  async start(): Promise<string> {
    for (const server of [this.#server, this.#store]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return this.address;
  }

  get address(): string {
    return addressOf(this.#server);
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, this.#store]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Puts a repository there, or replaces it. */
  put(
    name: string,
    files: Readonly<Record<string, Buffer | string>>,
    about: { readonly gated?: boolean; readonly licence?: string } = {},
  ): void {
    const content = Object.entries(files).map(
      ([path, bytes]) => [path, Buffer.from(bytes)] as const,
    );
    const { gated = false, licence = 'mit' } = about;
    const claims = new Map<string, number>();
    this.repositories.set(name, { files: new Map(content), gated, licence, claims });
  }

  commitOf(name: string): string {
    const hash = createHash('sha1');
    for (const [path, bytes] of this.repositories.get(name)?.files ?? []) {
      hash.update(`${path} ${createHash('sha1').update(bytes).digest('hex')}\n`);
    }
    return hash.digest('hex');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.address);
    const seen = {
      path: url.pathname,
      range: request.headers.range ?? null,
      authorization: request.headers.authorization ?? null,
    };
    this.requests.push(seen);
    if (url.pathname.startsWith('/v3/')) return this.#answerFeed(request, response, seen);
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(url.pathname);
    const file = /^\/(cdn\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const name = api?.[1] ?? file?.[2] ?? '';
    const repository = this.repositories.get(name);
    if (repository === undefined) return void response.writeHead(404).end();
    if (api !== null) return this.#tell(response, name, repository, api[2] === 'tree', url);
    const path = decodeURIComponent(file?.[4] ?? '');
    if (repository.gated && file?.[1] === undefined) {
      if (seen.authorization === null) return void response.writeHead(401).end();
      if (seen.authorization !== `Bearer ${this.token}`) return void response.writeHead(403).end();
    }
    if (file?.[1] === undefined) {
      const location = `${addressOf(this.#store)}/cdn${url.pathname}`;
      return void response.writeHead(302, { location }).end();
    }
    await this.#give(request, response, repository, path, this.fault(seen));
  }

  /** Index of the feed of packages. */
  get feed(): string {
    return `${this.address}/v3/index.json`;
  }

  async #answerFeed(
    request: IncomingMessage,
    response: ServerResponse,
    seen: HubRequest,
  ): Promise<void> {
    const json = (value: unknown): void =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(value));
    const base = `${this.address}/v3`;
    if (seen.path === '/v3/index.json') return json(feedIndex(base));
    const [, , kind, id = '', version = ''] = seen.path.replace(/\.json$/, '').split('/');
    const file = `${id}.${version}.nupkg`;
    const content = this.packages.get(file);
    if (content === undefined) return void response.writeHead(404).end();
    if (kind === 'registration') {
      const packageContent = `${base}/flat/${id}/${version}/${file}`;
      return json({ catalogEntry: `${base}/catalog/${id}/${version}.json`, packageContent });
    }
    if (kind === 'catalog') return json(catalogueEntry(content));
    const claims = new Map<string, number>();
    const repository = { files: this.packages, gated: false, licence: null, claims };
    await this.#give(request, response, repository, file, this.fault(seen));
  }

  #tell(
    response: ServerResponse,
    name: string,
    { files, gated, licence, claims }: HubRepositoryContent,
    isTree: boolean,
    url: URL,
  ): void {
    const json = (value: unknown, headers: Record<string, string> = {}): void =>
      void response
        .writeHead(200, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value));
    if (!isTree) {
      const cardData = licence === null ? {} : { license: licence };
      return json({
        id: name,
        sha: this.commitOf(name),
        gated: gated ? 'manual' : false,
        cardData,
      });
    }
    const entries = [...files].map(([path, bytes]) =>
      entryOf(path, bytes, claims.get(path) ?? bytes.length),
    );
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const isMore = from + pageEntries < entries.length;
    url.searchParams.set('cursor', String(from + pageEntries));
    const link: Record<string, string> = isMore ? { link: `<${url.href}>; rel="next"` } : {};
    return json(entries.slice(from, from + pageEntries), link);
  }

  async #give(
    request: IncomingMessage,
    response: ServerResponse,
    repository: HubRepositoryContent,
    path: string,
    fault: HubFault | null,
  ): Promise<void> {
    if (fault?.kind === 'change') repository.files.set(path, fault.content);
    const all = repository.files.get(path);
    if (all === undefined) return void response.writeHead(404).end();
    if (fault?.kind === 'status') {
      const { status, retryAfter } = fault;
      const headers: Record<string, string> =
        retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      return void response.writeHead(status, headers).end();
    }
    if (fault?.kind === 'page') {
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sign in</p>');
    }
    const { body, status, headers } = pieceOf(all, request, fault);
    response.writeHead(status, headers);
    await this.#send(response, body, fault);
  }

  async #send(response: ServerResponse, body: Buffer, fault: HubFault | null): Promise<void> {
    const limit = fault?.kind === 'drop' || fault?.kind === 'stall' ? fault.after : body.length;
    const promised = fault?.kind === 'lie' ? Math.max(0, body.length + fault.by) : body.length;
    const sent = body.subarray(0, Math.min(limit, promised));
    for (let at = 0; at < sent.length && !response.destroyed; at += this.paceBytes) {
      const piece = sent.subarray(at, at + this.paceBytes);
      this.sentBytes += piece.length;
      await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      if (this.paceMs > 0) await new Promise((resolve) => setTimeout(resolve, this.paceMs));
    }
    if (fault?.kind === 'stall') return;
    if (fault?.kind === 'drop' || promised > body.length) return void response.destroy();
    response.end();
  }
}

/** What a request gets of a file. */
function pieceOf(all: Buffer, { headers }: IncomingMessage, fault: HubFault | null) {
  const etag = `"${createHash('md5').update(all).digest('hex')}"`;
  const asked = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  const ifRange = headers['if-range'];
  const isPiece =
    asked !== null && fault?.kind !== 'whole' && (ifRange === undefined || ifRange === etag);
  const first = isPiece ? Number(asked[1]) + (fault?.kind === 'shifted' ? 1 : 0) : 0;
  if (first >= all.length && all.length > 0) {
    const range = { 'content-range': `bytes */${all.length}` };
    return { body: Buffer.alloc(0), status: 416, headers: range };
  }
  const last = isPiece ? Math.min(Number(asked[2]), all.length - 1) : all.length - 1;
  const body = Buffer.from(all.subarray(first, last + 1));
  if (fault?.kind === 'corrupt' && body.length > 0) {
    const at = fault.at % body.length;
    body[at] = (body[at] ?? 0) ^ 0x55;
  }
  const length = Math.max(0, body.length + (fault?.kind === 'lie' ? fault.by : 0));
  const told: Record<string, string | number> = { etag, 'content-length': length };
  if (isPiece) told['content-range'] = `bytes ${first}-${last}/${all.length}`;
  return { body, status: isPiece ? 206 : 200, headers: told };
}

/** As a feed lists where each of its services is, the packed kind of leaves first. */
function feedIndex(base: string): object {
  return {
    version: '3.0.0',
    resources: [
      { '@id': `${base}/packed/`, '@type': 'RegistrationsBaseUrl/3.6.0' },
      { '@id': `${base}/flat/`, '@type': 'PackageBaseAddress/3.0.0' },
      { '@id': `${base}/registration/`, '@type': 'RegistrationsBaseUrl' },
    ],
  };
}

function catalogueEntry(content: Buffer): object {
  return {
    packageHash: createHash('sha512').update(content).digest('base64'),
    packageHashAlgorithm: 'SHA512',
    packageSize: content.length,
    licenseExpression: 'MIT',
  };
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function entryOf(path: string, bytes: Buffer, size: number): object {
  const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const entry = { type: 'file', path, size, oid: git };
  if (bytes.length <= lfsBytes) return entry;
  const oid = createHash('sha256').update(bytes).digest('hex');
  return { ...entry, lfs: { oid, size, pointerSize: 134 } };
}
