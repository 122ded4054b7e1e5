// What README says of verifying a download is run as it stands, over what a release writes.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readSigningKey, writeRelease } from '../../scripts/pack/release.mjs';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = path.join(import.meta.dirname, '..', '..');
const tools = ['openssl', 'sha256sum', 'base64'];
const missing = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);

/** The lines of the first block of code under a heading. */
function commandsUnder(document: string, heading: string): string {
  const text = readFileSync(path.join(root, document), 'utf8');
  const block = text.split(`\n## ${heading}\n`)[1]?.split('```')[1];
  if (block === undefined) throw new Error(`${document} has no commands under ${heading}`);
  return block.trim();
}

describe.skipIf(missing.length > 0)(`README's way to verify (needs ${tools.join(', ')})`, () => {
  const name = 'textbind-studio_1.2.3_amd64.deb';
  let folder = '';
  beforeEach(() => {
    folder = temporaryFolder();
    const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder });
    openssl('genpkey', '-algorithm', 'ed25519', '-out', 'release-key.pem');
    openssl('pkey', '-in', 'release-key.pem', '-pubout', '-out', 'release-key.pub.pem');
    const [file, other] = [name, 'other.tar.gz'].map((each) => path.join(folder, each));
    for (const each of [file, other]) writeFileSync(each!, 'a package');
    writeRelease({
      output: folder,
      packages: [file, other].map((each) => ({ file: each!, kind: null })),
      version: '1.2.3',
      releasedAt: '2026-11-29T00:00:00.000Z',
      key: readSigningKey(path.join(folder, 'release-key.pem')),
    });
    // A person downloads one of them.
    rmSync(other!);
  });

  const verify = () =>
    spawnSync('sh', ['-e', '-c', commandsUnder('README.md', 'Verify a download')], {
      cwd: folder,
      encoding: 'utf8',
    });

  it('takes what was released', () => {
    const { status, stdout } = verify();
    expect(status).toBe(0);
    expect(stdout).toContain('Signature Verified Successfully');
    expect(stdout).toContain(`${name}: OK`);
  });

  it('refuses another package, and other sums', () => {
    appendFileSync(path.join(folder, name), ' that somebody changed');
    expect(verify().stdout).toContain(`${name}: FAILED`);
    const sums = path.join(folder, 'SHA256SUMS');
    execFileSync('sh', ['-c', 'sha256sum *.deb > SHA256SUMS'], { cwd: folder });
    expect(readFileSync(sums, 'utf8')).toContain(name);
    const { status, stdout } = verify();
    expect(status).not.toBe(0);
    expect(stdout).not.toContain(`${name}: OK`);
  });
});
