import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { StudioError } from '../../shared/errors.ts';

/** What an update server says of the newest version, for one platform and one kind of package. */
export const releaseSchema = z.object({
  product: z.literal('textbind-studio'),
  /** Semantic version without a leading v. */
  version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
  platform: z.enum(['linux', 'darwin', 'win32']),
  arch: z.enum(['x64', 'arm64']),
  kind: z.enum(['deb', 'AppImage', 'zip', 'exe']),
  /** ISO 8601. */
  releasedAt: z.iso.datetime(),
  file: z.object({
    /** Beside the metadata: a name, no path. */
    name: z.string().regex(/^[\w][\w.~+-]*$/),
    bytes: z.number().int().positive(),
    sha512: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
  }),
});
export type Release = z.infer<typeof releaseSchema>;
export type ReleaseTarget = Pick<Release, 'platform' | 'arch' | 'kind'>;

/** The metadata's file name; its signature has `.sig` behind it. */
export function releaseName({ platform, arch, kind }: ReleaseTarget): string {
  return `release-${platform}-${arch}-${kind}.json`;
}

/**
 * Reads metadata that carries the signature of whoever makes this app. The signature is over all bytes, so over platform
 * and kind as well: one that was made for another package cannot be put in this one's place.
 * @param text the metadata, as it came
 * @param signature Ed25519 (RFC 8032) over its bytes, in base64
 * @param publicKey SPKI in DER, in base64
 * @throws {StudioError} `bad-input`: it is not signed by that key, or is not what was asked for
 */
export function readRelease(
  text: string,
  signature: string,
  publicKey: string,
  target: ReleaseTarget,
): Release {
  if (!isSigned(text, signature, publicKey)) {
    throw new StudioError(
      'bad-input',
      'What the update server says does not carry our signature. Nothing was downloaded.',
    );
  }
  const release = releaseSchema.parse(JSON.parse(text));
  const { platform, arch, kind } = target;
  if (release.platform === platform && release.arch === arch && release.kind === kind)
    return release;
  throw new StudioError(
    'bad-input',
    `The update server offers a package for ${release.platform} ${release.arch} (${release.kind}), not for ${platform} ${arch} (${kind}).`,
  );
}

function isSigned(text: string, signature: string, publicKey: string): boolean {
  try {
    const der = Buffer.from(publicKey, 'base64');
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ed25519') return false;
    return verify(null, Buffer.from(text), key, Buffer.from(signature.trim(), 'base64'));
  } catch {
    // No key, or no signature, that could be read.
    return false;
  }
}
