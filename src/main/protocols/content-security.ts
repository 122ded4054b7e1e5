import { appProtocols } from '../../shared/contracts/app-channels.ts';

/**
 * What the page may load: its own files, our pictures, and what it holds in memory (blob:, data: as pictures only).
 * Inline styles are allowed because the components' libraries place menus and tooltips with them; scripts are not.
 */
export const pagePolicy = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' ${appProtocols.picture}: blob: data:`,
  `font-src 'self'`,
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
  `object-src 'none'`,
].join('; ');

/** Headers on everything that the page protocol serves. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': pagePolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};
