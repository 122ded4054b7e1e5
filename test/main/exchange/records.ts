import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { samplingSchema } from '../../../src/shared/domain/settings.ts';
import type {
  ConversationRecord,
  RecordedPart,
  RecordedPicture,
  RecordedTurn,
} from '../../../src/shared/domain/conversation-record.ts';
import { encodePng } from '../../support/png.ts';

/** A few real pictures; several rows may name one. */
export const pictureFiles = [0, 1, 2, 3].map((shade) => {
  const bytes = encodePng(3 + shade, 4, shade * 40);
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex'), width: 3 + shade };
});

const words = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.constantFrom(
    '<image>',
    '[INST] x [/INST]',
    '</script><script>',
    '| a |',
    '\u202eabc',
    '<start>',
  ),
);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });

const place = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('text' as const), text: words }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('undrawn' as const), caption: words }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pictures' as const),
      versions: fc.array(
        fc.record({
          file: fc.nat(pictureFiles.length - 1),
          caption: fc.option(words),
          seed: fc.option(fc.nat(0xffff_ffff)),
          alt: fc.option(words, { nil: undefined }),
          name: fc.option(words, { nil: undefined }),
          favourite: fc.option(fc.constant(true), { nil: undefined }),
          isDeleted: fc.boolean(),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
);

const node = fc.record({
  /** Which of the turns before it it follows, by a share of their number. */
  follows: fc.double({ min: 0, max: 1, noNaN: true }),
  isFirst: fc.boolean(),
  wantsToBeCurrent: fc.boolean(),
  isDeleted: fc.integer({ min: 0, max: 5 }).map((number) => number === 0),
  status: fc.constantFrom('complete', 'cut', 'stopped', 'interrupted', 'failed'),
  places: fc.array(place, { maxLength: 4 }),
  seed: fc.option(fc.nat(0xffff_ffff)),
  rating: fc.constantFrom(undefined, 'up' as const, 'down' as const),
  at: time,
});

/** Any conversation that may be stored: a tree of versions, drawings of several versions, deletions, odd words. */
export const anyRecord: fc.Arbitrary<ConversationRecord> = fc
  .record({
    title: words,
    createdAt: time,
    updatedAt: time,
    deletedAt: fc.option(time, { freq: 6 }),
    kept: fc.record(
      {
        marks: fc.record({
          pinned: fc.constant(true),
          tags: fc.constant<string[]>(['work', '工作']),
        }),
        settings: fc.record(
          { system: words, sampling: fc.constant(samplingSchema.parse({ temperature: 0.7 })) },
          { requiredKeys: ['system'] },
        ),
      },
      { requiredKeys: [] },
    ),
    nodes: fc.array(node, { minLength: 1, maxLength: 8 }),
    deletedAtTimes: fc.tuple(time, time),
  })
  .map(({ nodes, deletedAtTimes, kept, ...summary }) => {
    const deletions = deletedAtTimes.map((createdAt) => ({
      id: randomUUID(),
      createdAt,
      erased: false,
    }));
    const pictures: RecordedPicture[] = [];
    const turns: RecordedTurn[] = [];
    const hasCurrent = new Set<string | null>();
    for (const each of nodes) {
      const before =
        each.isFirst || turns.length === 0
          ? null
          : turns[Math.min(turns.length - 1, Math.floor(each.follows * turns.length))]!;
      const parentId = before?.id ?? null;
      const isCurrent = each.wantsToBeCurrent && !hasCurrent.has(parentId);
      if (isCurrent) hasCurrent.add(parentId);
      turns.push({
        id: randomUUID(),
        role: before?.role === 'user' ? 'assistant' : 'user',
        status: each.status as RecordedTurn['status'],
        error: each.status === 'failed' ? { kind: 'internal', message: 'No.', detail: null } : null,
        notices: [],
        usage: null,
        model: before?.role === 'user' ? 'Fake model' : null,
        ...(each.rating === undefined ? {} : { rating: each.rating }),
        createdAt: each.at,
        parentId,
        isCurrent,
        deletionId: each.isDeleted ? deletions[0]!.id : null,
        parts: each.places.flatMap((at, position) =>
          partsOf(at, position, deletions[1]!.id, pictures),
        ),
      });
    }
    return { id: randomUUID(), ...summary, ...kept, deletions, turns, pictures };
  });

type Place = typeof place extends fc.Arbitrary<infer Value> ? Value : never;

function partsOf(
  at: Place,
  position: number,
  deletionId: string,
  pictures: RecordedPicture[],
): RecordedPart[] {
  if (at.kind === 'text') return [{ position, isCurrent: true, deletionId: null, content: at }];
  if (at.kind === 'undrawn') {
    const error = { kind: 'cancelled' as const, message: 'Stopped.', detail: null };
    return [{ position, isCurrent: true, deletionId: null, content: { ...at, error } }];
  }
  return at.versions.map((version, index) => {
    const { bytes, hash, width } = pictureFiles[version.file]!;
    const id = randomUUID();
    pictures.push({
      id,
      hash,
      mediaType: 'image/png',
      width,
      height: 4,
      bytes: bytes.length,
      origin: version.seed === null ? 'user' : 'drawn',
      caption: version.caption,
      recipe:
        version.seed === null
          ? null
          : { seed: version.seed, steps: 3, guidance: 5, model: 'Fake model' },
      createdAt: 7,
      ...(version.name === undefined ? {} : { name: version.name }),
      ...(version.alt === undefined ? {} : { alt: version.alt }),
      ...(version.favourite === undefined ? {} : { favourite: version.favourite }),
    });
    const isLast = index === at.versions.length - 1;
    return {
      position,
      isCurrent: isLast,
      deletionId: !isLast && version.isDeleted ? deletionId : null,
      content: { kind: 'picture', pictureId: id },
    };
  });
}

/** The record as it can be compared: what no turn or part was deleted by is no part of what is said. */
export function comparable(record: ConversationRecord | null): unknown {
  if (record === null) return null;
  const used = new Set(
    record.turns.flatMap((turn) => [turn.deletionId, ...turn.parts.map((part) => part.deletionId)]),
  );
  return {
    ...record,
    deletions: record.deletions
      .filter(({ id }) => used.has(id))
      .toSorted((one, other) => one.id.localeCompare(other.id)),
    pictures: record.pictures.toSorted((one, other) => one.id.localeCompare(other.id)),
  };
}
