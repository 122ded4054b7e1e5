/** One request for a piece of a file, and what the server may answer to it. */
import type { IncomingMessage } from 'node:http';
import { codeOf } from '../../base/whole-file.ts';
import { isStudioError, reasonOf } from '../../shared/errors.ts';
import { DownloadFault } from './fault.ts';
import { ask } from './http.ts';
import type { Segment } from './plan.ts';

/** The server gives whole files only. */
export class RangesRefused extends Error {}

export interface PieceRequest {
  readonly segment: Segment;
  /** Within the source, both inclusive. */
  readonly first: number;
  readonly last: number;
  /** What the source was called when the first piece came; null where nothing came yet. */
  readonly etag: string | null;
}

export interface Reach {
  readonly signal: AbortSignal;
  /** What is said to a host besides what is wanted, e.g. who asks. */
  readonly headersFor: (address: URL) => Readonly<Record<string, string>>;
  readonly proxy: string | null;
  readonly silenceMs: number;
}

export interface Piece {
  readonly body: IncomingMessage;
  /** Bytes in front of those that were asked for: the server gave the whole file. */
  readonly skip: number;
  readonly etag: string | null;
}

/**
 * Asks for bytes of a source.
 * @throws {DownloadFault} what the answer means; {@link RangesRefused} where the whole file came and cannot be used
 */
export async function askForPiece(wanted: PieceRequest, reach: Reach): Promise<Piece> {
  const address = new URL(wanted.segment.address);
  const { first, last, etag } = wanted;
  const { signal, silenceMs, proxy } = reach;
  const headers = {
    ...reach.headersFor(address),
    'accept-encoding': 'identity',
    range: `bytes=${first}-${last}`,
    // A weak tag does not promise the same bytes (RFC 9110, 13.1.5).
    ...(etag === null || etag.startsWith('W/') ? {} : { 'if-range': etag }),
  };
  const body = await ask(address, { headers, signal, silenceMs, proxy });
  try {
    return { body, ...judge(body, wanted) };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function judge(body: IncomingMessage, wanted: PieceRequest): Omit<Piece, 'body'> {
  const { statusCode = 0, headers } = body;
  const { first, segment } = wanted;
  refuseStatus(body, segment);
  const etag = headers.etag ?? null;
  if (etag !== null && wanted.etag !== null && etag !== wanted.etag) {
    throw changed(segment, 'it is another version now');
  }
  if (statusCode === 206) {
    checkRange(headers['content-range'], wanted);
    return { skip: 0, etag };
  }
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== segment.sourceBytes) {
    throw changed(segment, `it has ${length} bytes, not ${segment.sourceBytes}`);
  }
  if (wanted.last !== segment.sourceBytes - 1) throw new RangesRefused('the whole file came');
  return { skip: first, etag };
}

function refuseStatus({ statusCode = 0, headers }: IncomingMessage, segment: Segment): void {
  const { host } = new URL(segment.address);
  if (statusCode === 206 || statusCode === 200) return;
  if (statusCode === 401 || statusCode === 403) throw refusal(host, statusCode);
  if (statusCode === 404 || statusCode === 410) {
    throw new DownloadFault('gone', `${host} has no ${nameOf(segment)} any more (${statusCode}).`);
  }
  if (statusCode === 416) throw changed(segment, 'it is shorter than the listing said');
  const busy = [408, 425, 429].includes(statusCode) || statusCode >= 500;
  if (!busy) throw new DownloadFault('wrong', `${host} answered ${statusCode}.`);
  const waitMs = retryAfterMs(headers['retry-after']);
  throw new DownloadFault('network', `${host} is busy (${statusCode}).`, { waitMs });
}

/** What a hub means by 401 and 403. */
export function refusal(host: string, status: number): DownloadFault {
  return new DownloadFault(
    'refused',
    status === 401
      ? `${host} wants to know who asks (401). Put in a token of your account there.`
      : `${host} does not give this to your account (403). Accept its terms on the model's page, then go on.`,
    { wants: status === 401 ? 'token' : 'terms' },
  );
}

function checkRange(range: string | undefined, { first, segment }: PieceRequest): void {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? '');
  if (match === null || Number(match[1]) !== first) {
    const message = `${new URL(segment.address).host} gave other bytes than were asked for.`;
    throw new DownloadFault('network', message);
  }
  if (match[2] !== '*' && Number(match[2]) !== segment.sourceBytes) {
    throw changed(segment, `it has ${match[2]} bytes, not ${segment.sourceBytes}`);
  }
}

/** The source is not what was planned for. */
export function changed(segment: Segment, how: string): DownloadFault {
  return new DownloadFault('changed', `${nameOf(segment)} changed on the hub: ${how}.`);
}

function nameOf({ address }: Segment): string {
  return decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? address);
}

/** Retry-After in seconds or as a date. */
export function retryAfterMs(value: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** Anything thrown on the way as what it means for the download. */
export function toFault(error: unknown): DownloadFault | RangesRefused {
  if (error instanceof DownloadFault || error instanceof RangesRefused) return error;
  const code = codeOf(error);
  const message = reasonOf(error);
  if (isStudioError(error)) return new DownloadFault('wrong', message, { cause: error });
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) {
    return new DownloadFault('full', `The disk is full (${code}).`, { cause: error });
  }
  const disk = ['EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOENT', 'EISDIR', 'ENOTDIR', 'EMFILE'];
  if (disk.includes(code)) {
    return new DownloadFault('disk', `The disk refuses: ${message}`, { cause: error });
  }
  return new DownloadFault('network', `The connection broke: ${message}.`, { cause: error });
}
