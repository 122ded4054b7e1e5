import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { appProtocols } from '../../shared/contracts/app-channels.ts';
import { pageHeaders } from './content-security.ts';
import { noticeAt } from './page-notice.ts';
import { english, type Voice } from '../../shared/texts/voice.ts';

/** Address of the page. */
export const pageAddress = `${appProtocols.page}://page/index.html`;
/** Address of what is shown instead when the app cannot start. */
export const problemAddress = `${appProtocols.page}://page/problem.html`;

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Says whether an address is our page's: scheme and host, nothing beside them. */
export function isPageAddress(address: string): boolean {
  const url = parse(address);
  return url !== null && url.protocol === `${appProtocols.page}:` && url.host === 'page';
}

/**
 * The path of the file that an address of the page names, or null where it names none inside `folder`.
 */
export function pageFile(folder: string, address: string): string | null {
  const url = parse(address);
  if (url === null || !isPageAddress(address)) return null;
  let name: string;
  try {
    name = decodeURIComponent(url.pathname);
  } catch {
    return null;
  }
  // A backslash parts folders on Windows, a colon names a drive or a stream there, a NUL ends a name in C.
  if (/[\\:\0]/.test(name) || name.split('/').includes('..')) return null;
  const file = path.join(folder, name);
  const inside = path.relative(folder, file);
  return inside === '' || inside.startsWith('..') || path.isAbsolute(inside) ? null : file;
}

/** Serves the built page from `folder`, and `problemPage` where it is set. */
export function createPageHandler(
  folder: string,
  problemPage: () => string | null,
  voice: Voice = english,
): (request: { readonly url: string }) => Promise<Response> {
  return async ({ url }) => {
    if (url === problemAddress) return respond(200, '.html', problemPage() ?? '');
    const notice = noticeAt(url, voice);
    if (notice !== null) return respond(200, '.html', notice);
    const file = pageFile(folder, url);
    if (file === null) return respond(404, '.html', 'Not found');
    try {
      // Electron's fs reads inside the archive of an installed app.
      return respond(200, path.extname(file), await readFile(file));
    } catch {
      return respond(404, '.html', 'Not found');
    }
  };
}

function respond(status: number, extension: string, body: string | Buffer): Response {
  const type = mediaTypes[extension] ?? 'application/octet-stream';
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  return new Response(bytes, { status, headers: { ...pageHeaders, 'Content-Type': type } });
}

function parse(address: string): URL | null {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}
