// Downloads behind a proxy: a CONNECT proxy on loopback leads a name that no one knows to the hub look-alike, over TLS.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { readCatalogue } from '../../../src/library/catalogue.ts';
import { DownloadService } from '../../../src/main/downloads/download-service.ts';
import { usualLimits } from '../../../src/main/downloads/fetch-file.ts';
import { proxyFor } from '../../../src/main/downloads/proxy.ts';
import { TokenKeeper } from '../../../src/main/downloads/token.ts';
import { until } from '../support/node-spawn.ts';
import { Hub } from '../../support/hub.ts';
import { temporaryFolder } from '../support/storage.ts';

afterEach(() => vi.unstubAllEnvs());

describe('which proxy', () => {
  const hub = new URL('https://hub.example/api');
  const of = (environment: Record<string, string>, own: string | null = null) =>
    proxyFor(hub, own, environment);

  test('is the one that was set, else that of the environment', () => {
    expect(of({})).toBeNull();
    expect(of({ HTTPS_PROXY: 'http://one:3128' })).toBe('http://one:3128');
    expect(of({ HTTPS_PROXY: 'http://one:1', https_proxy: 'two:2' })).toBe('http://two:2');
    expect(of({ ALL_PROXY: 'http://three:3' })).toBe('http://three:3');
    expect(of({ HTTPS_PROXY: 'http://one:1', NO_PROXY: '*' }, 'http://own:4')).toBe('http://own:4');
    expect(of({ ALL_PROXY: 'socks5://four:4' })).toBeNull();
  });

  test.each([
    ['*', null],
    ['other.example, hub.example', null],
    ['.example', null],
    ['*.example', null],
    ['example', null],
    ['hub.example:443', null],
    ['hub.example:8443', 'http://one:1'],
    ['ub.example', 'http://one:1'],
    ['', 'http://one:1'],
  ])('is none where NO_PROXY is "%s": %s', (list, expected) => {
    expect(of({ HTTPS_PROXY: 'http://one:1', NO_PROXY: list })).toBe(expected);
  });
});

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();

/** The hub behind TLS under a name of its own, and a proxy that alone knows where that is. */
async function startProxied(hub: Hub) {
  const folder = temporaryFolder();
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=hub.example', '-addext', 'subjectAltName=DNS:hub.example'];
  execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  const certificate = readFileSync(cert, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
  const plain = Number(new URL(hub.address).port);
  const secure = tls.createServer({ key: readFileSync(key), cert: certificate }, (socket) => {
    const inside = connect(plain, '127.0.0.1');
    for (const each of [socket, inside]) each.on('error', () => each.destroy());
    socket.pipe(inside).pipe(socket);
  });
  const securePort = await listen(secure);
  const asked: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on('connect', ({ url }, socket) => {
    asked.push(url ?? '');
    const inside = connect(securePort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(inside).pipe(socket);
    });
    for (const each of [socket, inside]) each.on('error', () => each.destroy());
  });
  const port = await listen(proxy);
  return {
    asked,
    address: `http://127.0.0.1:${port}`,
    stop: () => [proxy, secure].map((each) => each.close()),
  };
}

async function listen(server: Server | tls.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test.skipIf(!hasOpenssl).each(['settings', 'environment'] as const)(
  'a download goes through the proxy of the %s',
  async (where) => {
    const hub = new Hub();
    await hub.start();
    const content = Buffer.alloc(300_000, 7);
    hub.put('test/language', { 'config.json': '{}', 'model.safetensors': content });
    const proxied = await startProxied(hub);
    if (where === 'environment') vi.stubEnv('HTTPS_PROXY', proxied.address);
    const folder = temporaryFolder();
    const file = path.join(folder, 'catalogue.json');
    const part = {
      ...{ id: 'language', role: 'language', name: 'Language', about: 'For a test.' },
      ...{
        repository: 'test/language',
        files: ['*'],
        licence: { name: 'MIT', address: null, says: null },
      },
    };
    writeFileSync(file, JSON.stringify({ version: 1, parts: [part], systems: [] }));
    const parts = path.join(folder, 'parts');
    const service = new DownloadService({
      folders: { jobs: path.join(folder, 'jobs'), parts },
      provider: async () => null,
      catalogue: () => readCatalogue([file]),
      network: () => ({
        hub: 'https://hub.example',
        proxy: where === 'settings' ? proxied.address : null,
      }),
      token: new TokenKeeper(path.join(folder, 'token'), () => {
        throw new Error('no keychain is asked for');
      }),
      build: () => Promise.reject(new Error('a part alone')),
      ...{ onStatus: () => undefined, onDone: () => undefined },
      ...{ limits: usualLimits, silenceMs: 20_000, clock: systemClock, log: silentLogger },
    });
    try {
      const offer = await service.look('language');
      expect(offer.host).toBe('hub.example');
      expect(new Set(proxied.asked)).toEqual(new Set(['hub.example:443']));
      const before = proxied.asked.length;
      service.start(offer.offerId, 'refer');
      await until(() => service.list()[0]?.state === 'done', 'the download ends');
      // Each file is asked for at the hub, which sends on to where its bytes are.
      expect(proxied.asked.length - before).toBeGreaterThanOrEqual(2);
      const [made = ''] = [path.join(parts, `language@${offer.parts[0]?.commit.slice(0, 12)}`)];
      expect(readFileSync(path.join(made, 'model.safetensors')).equals(content)).toBe(true);
      expect(existsSync(path.join(made, 'part.json'))).toBe(true);
    } finally {
      await service.close();
      proxied.stop();
      await hub.stop();
    }
  },
);
