// The parts of set-up that decide something, on real archives and files.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractFromTgz, extractFromZip } from '../../scripts/setup/archive.mjs';
import { download } from '../../scripts/setup/download.mjs';
import { placeOf } from '../../scripts/setup/electron.mjs';
import { differences } from '../../scripts/setup/npm-packages.mjs';
import { machineSwitches } from '../../scripts/setup/launch.mjs';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

/** A zip archive of these files, as the format's specification lays it out. */
function zipOf(
  files: readonly { name: string; text: string; mode: number; packed: boolean }[],
): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, text, mode, packed } of files) {
    const raw = Buffer.from(text);
    const data = packed ? deflateRawSync(raw) : raw;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(packed ? 8 : 0, 8);
    local.writeUInt32LE(crc32(raw), 14);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(raw.length, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(packed ? 8 : 0, 10);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(raw.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(mode, 40);
    central.writeUInt32LE(offset, 42);
    bodies.push(local, Buffer.from(name), data);
    directory.push(central, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, listed, end]);
}

describe('archives', () => {
  it('takes the chosen files out of a zip, with the executable bit', async () => {
    const zip = path.join(folder, 'a.zip');
    writeFileSync(
      zip,
      zipOf([
        { name: 'app/run', text: 'run '.repeat(500), mode: 0o100755, packed: true },
        { name: 'app/plain.txt', text: 'plain', mode: 0o100644, packed: false },
        { name: 'app/left.txt', text: 'left', mode: 0o100644, packed: false },
      ]),
    );
    const count = await extractFromZip(zip, (name: string) =>
      name.endsWith('left.txt') ? undefined : path.join(folder, name),
    );
    expect(count).toBe(2);
    expect(readFileSync(path.join(folder, 'app/run'), 'utf8')).toBe('run '.repeat(500));
    expect(statSync(path.join(folder, 'app/run')).mode & 0o111).not.toBe(0);
    expect(statSync(path.join(folder, 'app/plain.txt')).mode & 0o111).toBe(0);
    expect(existsSync(path.join(folder, 'app/left.txt'))).toBe(false);
  });

  it('refuses what is no zip', async () => {
    const file = path.join(folder, 'b.zip');
    writeFileSync(file, 'nothing of the kind');
    await expect(extractFromZip(file, () => undefined)).rejects.toThrow(/not a zip/);
  });

  it('takes one file out of a tar, past others of odd sizes', async () => {
    mkdirSync(path.join(folder, 'package'));
    const wanted = Buffer.alloc(1_000_003, 'wanted');
    writeFileSync(path.join(folder, 'package/aaa.txt'), 'x'.repeat(70_001));
    writeFileSync(path.join(folder, 'package/big.zip'), wanted);
    writeFileSync(path.join(folder, 'package/zzz.txt'), 'after');
    execFileSync('tar', ['czf', 'p.tgz', 'package/aaa.txt', 'package/big.zip', 'package/zzz.txt'], {
      cwd: folder,
    });
    const target = path.join(folder, 'out.zip');
    await extractFromTgz(path.join(folder, 'p.tgz'), '.zip', target);
    expect(readFileSync(target).equals(wanted)).toBe(true);
    await expect(extractFromTgz(path.join(folder, 'p.tgz'), '.iso', target)).rejects.toThrow(
      /no .iso/,
    );
  });

  it('refuses a tar that was cut, and leaves nothing', async () => {
    mkdirSync(path.join(folder, 'package'));
    writeFileSync(path.join(folder, 'package/big.zip'), randomBytes(300_000));
    execFileSync('tar', ['czf', 'p.tgz', 'package/big.zip'], { cwd: folder });
    const cut = path.join(folder, 'cut.tgz');
    writeFileSync(cut, readFileSync(path.join(folder, 'p.tgz')).subarray(0, 200_000));
    const target = path.join(folder, 'out.zip');
    await expect(extractFromTgz(cut, '.zip', target)).rejects.toThrow();
    expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual([]);
  });

  it.each(['../outside', '/outside'])('writes nothing of a zip that holds %s', async (name) => {
    const zip = path.join(folder, 'c.zip');
    writeFileSync(zip, zipOf([{ name, text: 'x', mode: 0o100644, packed: false }]));
    await expect(
      extractFromZip(zip, (each: string) => path.join(folder, 'in', each)),
    ).rejects.toThrow(/relative path|absolute path/);
  });
});

describe('download', () => {
  const body = Buffer.alloc(300_000, 'textbind');
  const integrity = `sha512-${createHash('sha512').update(body).digest('base64')}`;
  let server: Server;
  let ranges: (string | undefined)[] = [];
  let url = '';
  beforeEach(async () => {
    ranges = [];
    server = createServer((request, response) => {
      const range = request.headers.range;
      ranges.push(range);
      const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length - from });
      response.end(body.subarray(from));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('continues a part file where it stopped', async () => {
    const target = path.join(folder, 'file.bin');
    writeFileSync(`${target}.part`, body.subarray(0, 100_000));
    await download(url, target, integrity);
    expect(ranges).toEqual(['bytes=100000-']);
    expect(readFileSync(target).equals(body)).toBe(true);
    await download(url, target, integrity);
    expect(ranges).toHaveLength(1);
  });

  it('throws a spoilt part file away and begins again', async () => {
    const target = path.join(folder, 'file.bin');
    writeFileSync(`${target}.part`, Buffer.alloc(100_000, 'spoilt'));
    await download(url, target, integrity);
    expect(ranges).toEqual(['bytes=100000-', undefined]);
    expect(readFileSync(target).equals(body)).toBe(true);
  });
});

describe('npm packages', () => {
  const wanted = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0' },
      'node_modules/other-platform': { version: '1.0.0', optional: true },
    },
  };
  it('are in order where what is required is installed', () => {
    const installed = {
      packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } },
    };
    expect(differences(wanted, installed)).toEqual([]);
  });
  it('are named where they are missing or of another version', () => {
    const installed = { packages: { 'node_modules/b': { version: '1.9.9' } } };
    expect(differences(wanted, installed)).toEqual(['node_modules/a', 'node_modules/b']);
    expect(differences(wanted, undefined)).toEqual(['node_modules']);
  });
});

describe('the fallback runtime', () => {
  it('takes the runtime and the modules built for it, not the app of its carrier', () => {
    const place = (name: string) => placeOf(`Cypress/${name}`, '/there')?.replaceAll('\\', '/');
    expect(place('Cypress')).toBe('/there/dist/electron');
    expect(place('locales/en-US.pak')).toBe('/there/dist/locales/en-US.pak');
    expect(place('browser_v8_context_snapshot.bin')).toBeUndefined();
    expect(place('resources/app/index.js')).toBeUndefined();
    expect(place('resources/app-update.yml')).toBeUndefined();
    const modules = 'resources/app/node_modules';
    expect(place(`${modules}/better-sqlite3/build/Release/better_sqlite3.node`)).toBe(
      '/there/node_modules/better-sqlite3/build/Release/better_sqlite3.node',
    );
    expect(place(`${modules}/better-sqlite3/src/better_sqlite3.cpp`)).toBeUndefined();
    expect(place(`${modules}/lodash/index.js`)).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux')('switches', () => {
  it('give up the sandbox for root only', () => {
    expect(machineSwitches({ virtualScreen: false, root: true })).toContain('--no-sandbox');
    expect(machineSwitches({ virtualScreen: false, root: false })).not.toContain('--no-sandbox');
  });
});
