/** What a file is made of and where it comes from; pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** How the whole is checked. `git`: SHA-1 of git's blob, what a hub knows of small files. */
export const digestSchema = z.object({
  algorithm: z.enum(['sha256', 'sha512', 'git']),
  /** Lower case. */
  hex: z.string().regex(/^[0-9a-f]{40,128}$/),
});
export type Digest = z.infer<typeof digestSchema>;

/** Bytes of a file elsewhere that become bytes of the one that is written. */
export const segmentSchema = z.object({
  address: z.url({ protocol: /^https?$/ }),
  /** Where they begin in the source. */
  from: z.number().int().nonnegative(),
  /** Where they begin in the file that is written. */
  at: z.number().int().nonnegative(),
  bytes: z.number().int().positive(),
  /** Bytes of the whole source. */
  sourceBytes: z.number().int().positive(),
});
export type Segment = z.infer<typeof segmentSchema>;

export const filePlanSchema = z.object({
  /** Relative to the folder of the download, with slashes. */
  path: z.string().min(1),
  bytes: z.number().int().nonnegative(),
  /** What is written at the beginning without being fetched: base64, usually empty. */
  head: z.string(),
  segments: z.array(segmentSchema),
  /** Null where only pieces of files are fetched, of which nobody published a digest. */
  digest: digestSchema.nullable(),
});
export type FilePlan = z.infer<typeof filePlanSchema>;

/** A whole file of a hub. */
export function wholeFile(
  path: string,
  address: string,
  bytes: number,
  digest: Digest | null,
): FilePlan {
  const segments = bytes === 0 ? [] : [{ address, from: 0, at: 0, bytes, sourceBytes: bytes }];
  return { path, bytes, head: '', segments, digest };
}

/** A piece of a segment that one connection fetches. */
export interface PartPlan {
  readonly segment: number;
  /** Offset within the file that is written. */
  readonly at: number;
  readonly bytes: number;
}

/** Cuts segments into parts of at most `partBytes`, in the order of the file. */
export function partsOf(plan: FilePlan, partBytes: number): PartPlan[] {
  const sorted = plan.segments.map((segment, index) => ({ ...segment, index }));
  sorted.sort((a, b) => a.at - b.at);
  return sorted.flatMap(({ index, at, bytes }) =>
    Array.from({ length: Math.ceil(bytes / partBytes) }, (_, number) => ({
      segment: index,
      at: at + number * partBytes,
      bytes: Math.min(partBytes, bytes - number * partBytes),
    })),
  );
}

/** Says whether two plans give the same file from the same places: then what was fetched for one serves the other. */
export function fingerprintOf({ bytes, head, segments, digest }: FilePlan): string {
  const places = segments.map(({ address: _, ...place }) => place);
  const text = JSON.stringify([bytes, head, digest, digest === null ? segments : places]);
  return createHash('sha256').update(text).digest('hex');
}
