// What a server needs beside a package: sums, the metadata that updates read, and signatures over both.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from '../setup/steps.mjs';

/** @param {string} file @param {string} algorithm @param {'hex' | 'base64'} encoding */
const hashOf = (file, algorithm, encoding) =>
  createHash(algorithm).update(readFileSync(file)).digest(encoding);

/**
 * The private key, where one was named. It never lies in the repository: a file of whoever releases.
 * @param {string | undefined} file PEM
 */
export function readSigningKey(file) {
  if (file === undefined || file === '') return undefined;
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new SetupError(`${file} is no Ed25519 key`, 'Make one: openssl genpkey -algorithm ed25519');
}

/** The public half as builds carry it: SPKI in DER, in base64. @param {import('node:crypto').KeyObject} key */
export function publicKeyOf(key) {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
}

/** @param {string} file @param {string} text @param {import('node:crypto').KeyObject | undefined} key */
function writeSigned(file, text, key) {
  writeFileSync(file, text);
  if (key !== undefined)
    writeFileSync(`${file}.sig`, sign(null, Buffer.from(text), key).toString('base64'));
}

/**
 * Writes SHA256SUMS over packages, and for each that can be updated its metadata; signed where there is a key.
 * @param {{ output: string, packages: { file: string, kind: string | null }[], version: string, releasedAt: string,
 *           key?: import('node:crypto').KeyObject | undefined }} of
 * @returns {string[]} the files written, signatures apart
 */
export function writeRelease({ output, packages, version, releasedAt, key }) {
  const there = packages.filter(({ file }) => existsSync(file));
  const sums = path.join(output, 'SHA256SUMS');
  const lines = there.map(
    ({ file }) => `${hashOf(file, 'sha256', 'hex')}  ${path.basename(file)}\n`,
  );
  writeSigned(sums, lines.join(''), key);
  const updates = there.flatMap(({ file, kind }) => {
    if (kind === null) return [];
    const { platform, arch } = process;
    const release = {
      product: 'textbind-studio',
      version,
      platform,
      arch,
      kind,
      releasedAt,
      file: {
        name: path.basename(file),
        bytes: statSync(file).size,
        sha512: hashOf(file, 'sha512', 'base64'),
      },
    };
    const name = path.join(output, `release-${platform}-${arch}-${kind}.json`);
    writeSigned(name, `${JSON.stringify(release, null, 2)}\n`, key);
    return [name];
  });
  return [sums, ...updates];
}
