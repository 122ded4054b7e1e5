import { readFile } from 'node:fs/promises';
import { appProtocols } from '../../shared/contracts/app-channels.ts';

/** What the picture protocol needs of the picture store. */
export interface PictureSource {
  fileOf(hash: string): string;
  /** Null where no picture has that hash. */
  mediaType(hash: string): string | null;
}

/** The hash that an address names, or null: `textbind-picture://picture/<64 hexadecimal digits>` and nothing else. */
export function pictureHash(address: string): string | null {
  const pattern = new RegExp(`^${appProtocols.picture}://picture/([0-9a-f]{64})$`);
  return pattern.exec(address)?.[1] ?? null;
}

/** Serves stored pictures. A hash names its bytes for ever, so they may be cached for ever. */
export function createPictureHandler(
  source: PictureSource,
): (request: { readonly url: string }) => Promise<Response> {
  return async ({ url }) => {
    const hash = pictureHash(url);
    const mediaType = hash === null ? null : source.mediaType(hash);
    if (hash === null || mediaType === null) return new Response(null, { status: 404 });
    try {
      const bytes = await readFile(source.fileOf(hash));
      return new Response(new Uint8Array(bytes), {
        headers: {
          'Content-Type': mediaType,
          'Cache-Control': 'public, max-age=31536000, immutable',
          'Content-Security-Policy': "default-src 'none'",
          'X-Content-Type-Options': 'nosniff',
        },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  };
}
