import { isStudioError, toWireError } from '../../shared/errors.ts';
import type { Logger } from '../../base/log.ts';
import { openBackups, type Backup } from './backups.ts';
import { newestForm } from './migration.ts';
import { migrations } from './migrations/index.ts';
import { ForeignDatabaseError } from './open.ts';
import type { PlaceFault, StoragePlaces } from './place.ts';
import { readSalvage } from './salvage/salvage.ts';
import { sentenceOfFault, storageFaultOf } from './sqlite-errors.ts';

export type StartFailureKind =
  PlaceFault | 'damaged' | 'foreign' | 'too-new' | 'locked' | 'full' | 'disk' | 'other';

/** Why the app cannot start, and what there is to help. */
export interface StartFailure {
  readonly kind: StartFailureKind;
  readonly title: string;
  /** What happened, why, and what can be done. */
  readonly sentences: readonly string[];
  /** For whoever is asked for help: the error as it was thrown. */
  readonly detail: string;
  /** Copies that can be restored, newest first; none where restoring would not help. */
  readonly copies: readonly Backup[];
  /** Whether something can be read of what is there. */
  readonly canSalvage: boolean;
  /** Whether a new, empty database may be made in its place. */
  readonly canStartAnew: boolean;
}

export interface FailureSource {
  readonly places: StoragePlaces;
  readonly fault: PlaceFault | null;
  readonly error: unknown;
  /** Lines of SQLite's check. */
  readonly faults: readonly string[];
  readonly log: Logger;
}

const titles = {
  missing: 'The database of your conversations is missing',
  empty: 'The database of your conversations is empty',
  'not-a-file': 'Something else stands in the place of the database',
  forbidden: 'The data folder cannot be used',
  damaged: 'The database of your conversations is damaged',
  foreign: 'The database belongs to another program',
  'too-new': 'These conversations were written by a newer TextBind Studio',
  locked: 'Another program is using the database',
  full: 'The disk is full',
  disk: 'The disk does not answer as it should',
  other: 'The conversations could not be opened',
} as const satisfies Record<StartFailureKind, string>;

/** Another database in its place would help against these. */
const replaceable: readonly StartFailureKind[] = [
  'missing',
  'empty',
  'not-a-file',
  'damaged',
  'foreign',
  'disk',
  'other',
];

/** Puts into words why the database does not open, and finds what can be done about it. */
export function describeFailure(source: FailureSource): StartFailure {
  const { places, error, faults, log } = source;
  const kind = kindOf(source);
  const canReplace = replaceable.includes(kind);
  const mayHoldRows = canReplace && !['missing', 'empty', 'not-a-file'].includes(kind);
  const salvage = mayHoldRows ? readSalvage(places.database) : null;
  const copies = canReplace || kind === 'too-new' ? restorable(places, log) : [];
  const readable =
    salvage === null
      ? null
      : `${countOf(salvage.turns, 'turn')} in ${countOf(salvage.conversations, 'conversation')} can be read.`;
  return {
    kind,
    title: titles[kind],
    sentences: [
      sentenceFor(kind, places, error),
      ...(mayHoldRows ? [readable ?? 'Nothing of ours can be read in it.'] : []),
      ...(salvage?.losses ?? []).slice(0, 10),
      ...(canReplace && copies.length === 0 ? ['There is no copy of it.'] : []),
    ],
    detail: detailOf(source),
    copies,
    canSalvage: salvage !== null,
    canStartAnew: canReplace,
  };

  function detailOf({ fault }: FailureSource): string {
    const wire = error === null ? null : toWireError(error);
    const lines = [fault, wire?.message, wire?.detail, ...faults].filter(Boolean);
    return [titles[kind], places.database, ...lines].join('\n');
  }
}

/** Copies that this version can read: a newer one's own are of no use to it. */
function restorable(places: StoragePlaces, log: Logger): readonly Backup[] {
  return openBackups(places.backups, log)
    .list()
    .filter(({ form }) => form <= newestForm(migrations));
}

function kindOf({ fault, error, faults }: FailureSource): StartFailureKind {
  if (fault !== null) return fault;
  if (faults.length > 0) return 'damaged';
  if (isStudioError(error, 'database-too-new')) return 'too-new';
  if (error instanceof ForeignDatabaseError) return 'foreign';
  const storageFault = storageFaultOf(error);
  return storageFault === 'not-a-database' ? 'damaged' : (storageFault ?? 'other');
}

function sentenceFor(kind: StartFailureKind, places: StoragePlaces, error: unknown): string {
  const { database } = places;
  switch (kind) {
    case 'missing':
      return `${database} is not there, but pictures or copies are beside it. It was deleted or moved; nothing was changed since.`;
    case 'empty':
      return `${database} has no content, but pictures or copies are beside it. Nothing was changed.`;
    case 'not-a-file':
      return `${database} is a folder or a device, not a file.`;
    case 'damaged':
      return `Parts of ${database} cannot be read. A disk, a crash of the system or another program may have done it. Nothing was changed.`;
    case 'foreign':
      return `${database} was written by another program. Nothing was changed.`;
    case 'locked':
    case 'full':
    case 'disk':
    case 'forbidden':
      return `${sentenceOfFault(kind)} The file is ${database}.`;
    case 'too-new':
    case 'other':
      return error === null ? '' : toWireError(error).message;
    default:
      return kind satisfies never;
  }
}

function countOf(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? what : `${what}s`}`;
}
