/**
 * What a NuGet feed says of a package: where its bytes are, how many, and their digest. Three questions, as the protocol
 * has it (https://learn.microsoft.com/nuget/api/overview): the feed's index, the version's leaf, its catalogue entry.
 */
import { z } from 'zod';
import type { PackageSource } from '../../shared/domain/catalogue.ts';
import { DownloadFault } from './fault.ts';
import { askJson, type HubReach } from './hub.ts';
import { wholeFile, type FilePlan } from './plan.ts';

const indexSchema = z.looseObject({
  resources: z.array(z.looseObject({ '@id': z.url(), '@type': z.string() })),
});
const leafSchema = z.looseObject({
  catalogEntry: z.url(),
  packageContent: z.url(),
});
const entrySchema = z.looseObject({
  packageHash: z.base64(),
  packageHashAlgorithm: z.literal('SHA512'),
  packageSize: z.number().int().positive(),
  licenseExpression: z.string().optional(),
});

export interface FoundPackage {
  readonly file: FilePlan;
  readonly licence: string | null;
}

/** @throws {DownloadFault} `gone`, `network`, or `wrong` for an answer that is not a feed's */
export async function findPackage(
  { feed, name, version }: PackageSource,
  reach: HubReach,
): Promise<FoundPackage> {
  const { value: index } = await askJson(new URL(feed), reach, indexSchema);
  // Leaves of the newer kinds come packed, whatever is asked for.
  const types = ['RegistrationsBaseUrl', 'RegistrationsBaseUrl/3.0.0-rc'];
  const base = index.resources.find((each) => types.includes(each['@type']))?.['@id'];
  if (base === undefined) {
    throw new DownloadFault(
      'wrong',
      `${new URL(feed).host} does not answer as a package feed does.`,
    );
  }
  const [id, number] = [name.toLowerCase(), version.toLowerCase()];
  const place = new URL(`${base.replace(/\/$/, '')}/${id}/${number}.json`);
  const { value: leaf } = await askJson(place, reach, leafSchema);
  const { value: entry } = await askJson(new URL(leaf.catalogEntry), reach, entrySchema);
  const digest = {
    algorithm: 'sha512',
    hex: Buffer.from(entry.packageHash, 'base64').toString('hex'),
  } as const;
  const file = wholeFile(`${id}.${number}.nupkg`, leaf.packageContent, entry.packageSize, digest);
  return { file, licence: entry.licenseExpression ?? null };
}
