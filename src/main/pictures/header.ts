import { imageSize } from 'image-size';
import { StudioError } from '../../shared/errors.ts';
import { pictureLimits, sizeFault, type Picture } from '../../shared/domain/picture.ts';

/** What a picture's header says: its format, and the size at which it is shown. */
export type PictureHeader = Pick<Picture, 'mediaType' | 'width' | 'height'>;

const mediaTypes: Readonly<Record<string, Picture['mediaType']>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  avif: 'image/avif',
};

/**
 * Reads format and size from the first bytes; nothing is decoded, so the rest may still be damaged.
 * @param name what the person calls it, for the message
 * @throws {StudioError} `bad-input`: not a picture that we read, or beyond the limits.
 */
export function readPictureHeader(bytes: Uint8Array, name: string): PictureHeader {
  if (bytes.length > pictureLimits.maxBytes) {
    throw new StudioError(
      'bad-input',
      `${name} has ${mebibytes(bytes.length)} MB; the most is ${mebibytes(pictureLimits.maxBytes)} MB.`,
    );
  }
  const header = parse(bytes, name);
  const fault = sizeFault(header.width, header.height, header.mediaType === 'image/avif');
  if (fault !== null) throw new StudioError('bad-input', `${name} ${fault}.`);
  return header;
}

function parse(bytes: Uint8Array, name: string): PictureHeader {
  let size: ReturnType<typeof imageSize> | null = null;
  let cause: unknown;
  try {
    size = imageSize(bytes);
  } catch (error) {
    cause = error;
  }
  const mediaType = mediaTypes[size?.type ?? ''] ?? (isAvif(size, bytes) ? 'image/avif' : null);
  if (size === null || mediaType === null || !(size.width > 0) || !(size.height > 0)) {
    throw new StudioError(
      'bad-input',
      `${name} is not a picture that can be read here. PNG, JPEG, WebP, GIF and AVIF can.`,
      { cause },
    );
  }
  // EXIF orientations 5 to 8 lie on their side: what a person sees is higher than wide where the file is wider. There
  // are files that say 9 or more, which means nothing.
  const orientation = size.orientation ?? 1;
  const turned = orientation >= 5 && orientation <= 8;
  return {
    mediaType,
    width: turned ? size.height : size.width,
    height: turned ? size.width : size.height,
  };
}

function isAvif(size: { type?: string | undefined } | null, bytes: Uint8Array): boolean {
  const brand = new TextDecoder('latin1').decode(bytes.subarray(8, 12));
  return size?.type === 'heif' && (brand === 'avif' || brand === 'avis');
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}
