import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Disk } from '../../shared/domain/doctor.ts';

/** How full the disks are on which these folders lie, or will: one that is not there yet is asked of its parent. */
export async function readDisks(
  folders: readonly { readonly what: string; readonly folder: string }[],
): Promise<Disk[]> {
  const disks = await Promise.all(folders.map(({ what, folder }) => readDisk(what, folder)));
  return disks.filter((disk) => disk !== null);
}

async function readDisk(what: string, folder: string): Promise<Disk | null> {
  for (let place = folder; ; place = path.dirname(place)) {
    try {
      const { bavail, blocks, bsize } = await statfs(place);
      return { what, folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      if (path.dirname(place) === place) return null;
    }
  }
}
