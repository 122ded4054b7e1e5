import { readFile } from 'node:fs/promises';
import { appProtocols } from '../../shared/contracts/app-channels.ts';

/** What the picture protocol needs of the picture store. */
export interface PictureSource {
  fileOf(hash: string): string;
  /** Null where no picture has that hash. */
  mediaType(hash: string): string | null;
  /** A picture made small; null where there is none. */
  thumbnail(
    hash: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string } | null>;
}

/** What an address names: `textbind-picture://picture/<64 hexadecimal digits>`, `thumbnail` in its place, or null. */
export function readPictureAddress(
  address: string,
): { readonly size: 'picture' | 'thumbnail'; readonly hash: string } | null {
  const pattern = new RegExp(`^${appProtocols.picture}://(picture|thumbnail)/([0-9a-f]{64})$`);
  const [, size, hash] = pattern.exec(address) ?? [];
  if (hash === undefined) return null;
  return { size: size === 'thumbnail' ? size : 'picture', hash };
}

/** Serves stored pictures. A hash names its bytes for ever, so they may be cached for ever. */
export function createPictureHandler(
  source: PictureSource,
): (request: { readonly url: string }) => Promise<Response> {
  return async ({ url }) => {
    const asked = readPictureAddress(url);
    const found =
      asked === null
        ? null
        : await (asked.size === 'thumbnail'
            ? source.thumbnail(asked.hash)
            : readWhole(source, asked.hash));
    if (found === null) return new Response(null, { status: 404 });
    return new Response(new Uint8Array(found.bytes), {
      headers: {
        'Content-Type': found.mediaType,
        'Cache-Control': 'public, max-age=31536000, immutable',
        'Content-Security-Policy': "default-src 'none'",
        'X-Content-Type-Options': 'nosniff',
        // The page may read the pixels that it shows, to copy a picture; nobody else has an address like its own.
        'Access-Control-Allow-Origin': `${appProtocols.page}://page`,
      },
    });
  };
}

async function readWhole(
  source: PictureSource,
  hash: string,
): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string } | null> {
  const mediaType = source.mediaType(hash);
  if (mediaType === null) return null;
  try {
    return { bytes: await readFile(source.fileOf(hash)), mediaType };
  } catch {
    return null;
  }
}
