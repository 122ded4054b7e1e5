/** What a hub says of a repository: its files, their sizes and digests, its licence and whether it is gated. */
import { z } from 'zod';
import { DownloadFault } from './fault.ts';
import { askForText, type Asking } from './http.ts';
import { wholeFile, type Digest, type FilePlan } from './plan.ts';
import { refusal } from './receive.ts';
import { reasonOf } from '../../shared/errors.ts';

/** A listing of a repository with thousands of files has some megabytes. */
const mostListing = 16_000_000;
const mostPages = 100;

export interface HubReach extends Asking {
  /** Without a slash at its end, e.g. `https://huggingface.co`. */
  readonly hub: string;
}

const modelSchema = z.looseObject({
  /** The commit: what is fetched later is of this one, whatever is uploaded meanwhile. */
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  gated: z.union([z.literal(false), z.string()]).default(false),
  cardData: z
    .looseObject({
      license: z.union([z.string(), z.array(z.string())]).optional(),
      license_name: z.string().optional(),
      license_link: z.string().optional(),
    })
    .nullish(),
});

const entrySchema = z.looseObject({
  type: z.string(),
  path: z.string(),
  size: z.number().int().nonnegative().default(0),
  oid: z.string().optional(),
  lfs: z.looseObject({ oid: z.string(), size: z.number().int().nonnegative() }).optional(),
});

export interface HubFile {
  /** With slashes, within the repository. */
  readonly path: string;
  readonly bytes: number;
  readonly digest: Digest | null;
}

export interface HubRepository {
  readonly repository: string;
  readonly commit: string;
  readonly gated: boolean;
  /** As its card says it; null where it says nothing. */
  readonly licence: string | null;
  readonly files: readonly HubFile[];
}

/**
 * Asks a hub for a repository at a revision.
 * @throws {DownloadFault} `refused`, `gone`, `network`, or `wrong` for an answer that is not a hub's
 */
export async function listRepository(
  repository: string,
  revision: string,
  reach: HubReach,
): Promise<HubRepository> {
  const about = `${reach.hub}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
  const { value: model } = await askJson(new URL(about), reach, modelSchema);
  const files: HubFile[] = [];
  let next: URL | null = new URL(
    `${reach.hub}/api/models/${repository}/tree/${model.sha}?recursive=true`,
  );
  for (let page = 0; next !== null && page < mostPages; page += 1) {
    const listing: Answer<typeof treeSchema> = await askJson(next, reach, treeSchema);
    files.push(...listing.value.flatMap(toFile));
    next = listing.next;
  }
  const { license, license_name: name } = model.cardData ?? {};
  const licence = Array.isArray(license) ? license.join(', ') : license;
  return {
    repository,
    commit: model.sha,
    gated: model.gated !== false,
    licence: (licence === 'other' ? name : licence) ?? null,
    files,
  };
}

const treeSchema = z.array(entrySchema);

/** Where a file of a commit is fetched from. */
export function addressOf(hub: string, repository: string, commit: string, path: string): string {
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return `${hub}/${repository}/resolve/${commit}/${escaped}`;
}

/** A file of a repository as it is to be fetched, under the same path. */
export function planOf(hub: string, from: HubRepository, file: HubFile): FilePlan {
  const address = addressOf(hub, from.repository, from.commit, file.path);
  return wholeFile(file.path, address, file.bytes, file.digest);
}

function toFile({ type, path, size, oid, lfs }: z.infer<typeof entrySchema>): HubFile[] {
  if (type !== 'file' || !isSafe(path)) return [];
  if (lfs !== undefined && /^[0-9a-f]{64}$/.test(lfs.oid)) {
    return [{ path, bytes: lfs.size, digest: { algorithm: 'sha256', hex: lfs.oid } }];
  }
  const isBlob = oid !== undefined && /^[0-9a-f]{40}$/.test(oid);
  return [{ path, bytes: size, digest: isBlob ? { algorithm: 'git', hex: oid } : null }];
}

/** A listing comes from outside: its paths become paths on this disk. */
export function isSafe(path: string): boolean {
  return path.split('/').every((name) => {
    const isName = name !== '' && name !== '.' && name !== '..' && name.length <= 255;
    // What Windows takes for a drive, a stream or a separator, and what no file should be called.
    return isName && !/[\\:*?"<>|\p{Cc}]/u.test(name);
  });
}

interface Answer<S extends z.ZodType> {
  readonly value: z.output<S>;
  /** Where the listing goes on. */
  readonly next: URL | null;
}

/** A JSON answer. @throws {DownloadFault} `wrong` where it is another */
export async function askJson<S extends z.ZodType>(
  address: URL,
  reach: HubReach,
  schema: S,
): Promise<Answer<S>> {
  const { text, link } = await askHub(address, reach);
  try {
    const value = schema.parse(JSON.parse(text));
    const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
    return { value, next: next === undefined ? null : new URL(next, address) };
  } catch (error) {
    const message = `${address.host} does not answer as a hub does (${address.pathname}).`;
    throw new DownloadFault('wrong', message, { cause: error });
  }
}

/** A text of the hub's. @throws {DownloadFault} */
export async function askHub(
  address: URL,
  reach: HubReach,
): Promise<{ readonly text: string; readonly link: string | undefined }> {
  try {
    const { text, response } = await askForText(address, reach, mostListing);
    const { link } = response.headers;
    return { text, link: Array.isArray(link) ? link[0] : link };
  } catch (error) {
    reach.signal.throwIfAborted();
    throw meaningOf(error, address);
  }
}

function meaningOf(error: unknown, { host, pathname }: URL): DownloadFault {
  const message = reasonOf(error);
  const status = Number(/answered (\d+)$/.exec(message)?.[1] ?? 0);
  if (status === 401 || status === 403) return refusal(host, status);
  if (status === 404) return new DownloadFault('gone', `${host} has no ${pathname} (404).`);
  return new DownloadFault('network', `${host} could not be asked: ${message}`, { cause: error });
}
