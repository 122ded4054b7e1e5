/** Whether a system of the catalogue will fit into this machine's memory, before anything is fetched; pure. */
import type { CatalogueSystem } from '../../shared/domain/catalogue.ts';
import type { DownloadStorage } from '../../shared/domain/download.ts';

export interface SystemFit {
  /** How it would fit with the least given up; null where it would not. */
  readonly storage: DownloadStorage | null;
  readonly talkingBytes: number;
  readonly drawingBytes: number | null;
}

/** @returns null where nothing is known */
export function fitOfSystem(
  { needs }: Pick<CatalogueSystem, 'needs'>,
  memoryBytes: number | null,
): SystemFit | null {
  if (needs === null || memoryBytes === null) return null;
  const { talkingBytes, in8Bits, in4Bits, drawingBytes } = needs;
  const ways = [
    { storage: 'refer', talkingBytes },
    { storage: 'int8', talkingBytes: in8Bits },
    { storage: 'int4', talkingBytes: in4Bits },
  ] as const;
  const way = ways.find((each) => Math.max(each.talkingBytes, drawingBytes ?? 0) < memoryBytes);
  if (way !== undefined) return { ...way, drawingBytes };
  return { storage: null, talkingBytes: in4Bits, drawingBytes };
}
