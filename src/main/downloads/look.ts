/** What a hub has of the catalogue's parts right now, and what of it is on this disk. */
import { isPartFolder, placeOfPart } from '../../library/parts.ts';
import type { CataloguePart, PackageSource } from '../../shared/domain/catalogue.ts';
import { DownloadFault } from './fault.ts';
import { listRepository, planOf, type HubReach, type HubRepository } from './hub.ts';
import type { JobPart } from './job.ts';
import { findPackage } from './package-feed.ts';
import type { FilePlan } from './plan.ts';
import { planTensors } from './tensor-ranges.ts';

export interface LookedPart extends JobPart {
  readonly bytes: number;
  readonly isHere: boolean;
  readonly hubLicence: string | null;
  readonly gated: boolean;
}

/**
 * Asks for a part.
 * @param revision another than the catalogue's, to go on with what was begun
 * @throws {DownloadFault}
 */
export async function lookAtPart(
  part: CataloguePart,
  partsFolder: string,
  reach: HubReach,
  revision = part.revision,
): Promise<LookedPart> {
  if (part.source !== null) return lookAtPackage(part, part.source, partsFolder, reach);
  const repository = await listRepository(part.repository, revision, reach);
  const folder = `${part.id}@${repository.commit.slice(0, 12)}`;
  const isHere = isPartFolder(placeOfPart(partsFolder, folder));
  const files = await filesOf(part, repository, reach);
  return {
    part,
    commit: repository.commit,
    folder,
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    isHere,
    hubLicence: repository.licence,
    gated: repository.gated,
  };
}

async function lookAtPackage(
  part: CataloguePart,
  source: PackageSource,
  partsFolder: string,
  reach: HubReach,
): Promise<LookedPart> {
  const { file, licence } = await findPackage(source, reach);
  const folder = `${part.id}@${source.version}`;
  const isHere = isPartFolder(placeOfPart(partsFolder, folder));
  const about = { part, commit: source.version, folder, files: [file], bytes: file.bytes };
  return { ...about, isHere, hubLicence: licence, gated: false };
}

async function filesOf(
  part: CataloguePart,
  repository: HubRepository,
  reach: HubReach,
): Promise<FilePlan[]> {
  const patterns = part.files.map(toPattern);
  const found = repository.files.filter(({ path: name }) =>
    patterns.some((each) => each.test(name)),
  );
  const files = found.map((file) => planOf(reach.hub, repository, file));
  if (part.tensors !== null) files.push(await planTensors(part.tensors, repository, reach));
  if (!files.some(({ path: name }) => /\.(safetensors|pt|bin)$/.test(name))) {
    const wanted = part.files.join(', ');
    throw new DownloadFault('gone', `${part.repository} has no weights among ${wanted}.`);
  }
  return files;
}

/** `*` stands for anything but a slash. */
function toPattern(glob: string): RegExp {
  const parts = glob
    .split('*')
    .map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^/]*')}$`);
}
