/**
 * The only way out of the app: Node's own sockets (Electron's are closed to the network), with no cookie, no
 * name of the app and no number of this machine. Nothing here is asked unless a person asked for it.
 */
import { Agent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { proxyFor } from './proxy.ts';
import { StudioError } from '../../shared/errors.ts';
import { shortText } from '../../base/chunks.ts';

/** A connection that says nothing for so long is given up. Milliseconds. */
export const usualSilenceMs = 60_000;
const mostRedirects = 5;

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly silenceMs?: number;
  /** An HTTP proxy, e.g. `http://proxy:3128`; null for what the environment says. */
  readonly proxy?: string | null;
  /** Is sent (POST); then no redirection is followed: what is said to one server is said to no other. */
  readonly body?: string;
  /** http to a machine of the same private network is allowed too. */
  readonly nearby?: boolean;
}

/** https, and http to this machine alone, for a server that a test or a person starts. */
export function isAllowed(address: URL): boolean {
  return address.protocol === 'https:' || (address.protocol === 'http:' && isHere(address));
}

/** An address of a private network (RFC 1918, RFC 4193, mDNS): nothing on the internet has one. */
export function isNearby({ hostname }: URL): boolean {
  return (
    /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname) ||
    /^\[f[cd]/.test(hostname) ||
    hostname.endsWith('.local')
  );
}

function isHere(address: URL): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(address.hostname);
}

/**
 * Asks, and follows redirections. What says who asks goes to the first host alone: a hub sends on to other hosts for
 * the bytes.
 * @returns an answer of any status; its body is the caller's to read or to leave (`resume`, `destroy`)
 * @throws {StudioError} `bad-input` for an address over http that leaves this machine
 */
export async function ask(
  address: URL,
  asking: Asking,
  redirects = mostRedirects,
): Promise<IncomingMessage> {
  const response = await askOnce(address, asking);
  const { location } = response.headers;
  const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0);
  if (!isRedirect || location === undefined || asking.body !== undefined) return response;
  response.resume();
  if (redirects === 0) throw new Error(`${address.host}: too many redirections`);
  const next = new URL(location, address);
  const { authorization, ...rest } = asking.headers ?? {};
  const keeps = next.host === address.host && next.protocol === address.protocol;
  const headers = keeps && authorization !== undefined ? { ...rest, authorization } : rest;
  return ask(next, { ...asking, headers }, redirects - 1);
}

function askOnce(address: URL, asking: Asking): Promise<IncomingMessage> {
  const { signal, silenceMs = usualSilenceMs, headers = {}, body } = asking;
  if (!isAllowed(address) && !(asking.nearby === true && isNearby(address))) {
    const message = `The network is used by https only, not ${address.href}`;
    return Promise.reject(new StudioError('bad-input', message));
  }
  const request = address.protocol === 'https:' ? requestHttps : requestHttp;
  const agent = agentFor(address, asking.proxy ?? null);
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const options = { method, headers, signal, timeout: silenceMs, agent };
    const sent = request(address, options, resolve);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${silenceMs / 1000} s`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A connection for each answer: none waits behind what a server that stalled still owes. */
const plain = new Agent({ keepAlive: false });
const secure = new SecureAgent({ keepAlive: false });
const proxied = new Map<string, Agent>();

/** What is on this machine is asked without the proxy. */
function agentFor(address: URL, own: string | null): Agent {
  const proxy = isHere(address) || isNearby(address) ? null : proxyFor(address, own);
  if (proxy === null) return address.protocol === 'https:' ? secure : plain;
  const agent = proxied.get(proxy) ?? new HttpsProxyAgent(proxy);
  proxied.set(proxy, agent);
  return agent;
}

/** A short text. @throws where the server refuses, or says more than `mostBytes` */
export async function askForText(
  address: URL,
  asking: Asking,
  mostBytes: number,
): Promise<{ readonly text: string; readonly response: IncomingMessage }> {
  const response = await ask(address, asking);
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`${address.href}: the server answered ${response.statusCode}`);
  }
  const tooLong = (): Error => new Error(`${address.href}: more than ${mostBytes} bytes`);
  return { text: await shortText(response, mostBytes, tooLong), response };
}
