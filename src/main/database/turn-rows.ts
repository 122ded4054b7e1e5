import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import {
  messagePartSchema,
  noticeSchema,
  ratingSchema,
  turnSchema,
  turnStatusSchema,
  usageSchema,
  type MessagePart,
  type Rating,
  type Turn,
} from '../../shared/domain/turn.ts';
import { wireErrorSchema } from '../../shared/errors.ts';
import { pictureFromRow, type PictureRow } from './pictures.ts';

export interface TurnRow {
  readonly key: number;
  readonly id: string;
  readonly role: string;
  readonly status: string;
  readonly error: string | null;
  readonly notices: string;
  readonly usage: string | null;
  readonly model: string | null;
  readonly recipe: string | null;
  readonly rating: number | null;
  readonly created_at: number;
}

export interface PartRow extends PictureRow {
  readonly turn_key: number;
  readonly position: number;
  readonly kind: string;
  readonly body: string | null;
  readonly part_error: string | null;
}

/** Stands where a part of a turn was and cannot be read. */
const unreadablePart: MessagePart = {
  kind: 'text',
  text: '[A part of this turn could not be read: the database is damaged here.]',
};

/** A turn as it was read, and whether all of it could be. */
export interface ReadTurn {
  readonly turn: Turn;
  readonly isDamaged: boolean;
}

/**
 * Makes a turn of its rows. What cannot be read stands as words in its place, and a notice says what is lost: one bad
 * row hides neither its turn nor the others.
 * @param partRows null for a turn whose parts could not be read at all
 */
export function readTurn(row: TurnRow, partRows: readonly PartRow[] | null): ReadTurn {
  const parts = partRows?.map(readPart) ?? [null];
  const whole = turnSchema.safeParse({
    id: row.id,
    role: row.role,
    status: row.status,
    parts: parts.map((part) => part ?? unreadablePart),
    error: parseJson(row.error),
    notices: parseJson(row.notices),
    usage: parseJson(row.usage),
    model: row.model,
    ...(row.recipe === null ? {} : { recipe: parseJson(row.recipe) }),
    ...(row.rating === null ? {} : { rating: ratingOf(row.rating) }),
    createdAt: row.created_at,
  });
  const lostParts = parts.filter((part) => part === null).length;
  if (whole.success && lostParts === 0) return { turn: whole.data, isDamaged: false };
  return { turn: readableTurn(row, parts), isDamaged: true };
}

/** What can be read of a turn, field by field. */
function readableTurn(row: TurnRow, parts: readonly (MessagePart | null)[]): Turn {
  const lost: string[] = [];
  const keep = <Value>(
    what: string,
    schema: z.ZodType<Value>,
    value: unknown,
    otherwise: Value,
  ): Value => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    lost.push(what);
    return otherwise;
  };
  const { shape } = turnSchema;
  const role = row.model === null ? 'user' : 'assistant';
  const count = parts.filter((part) => part === null).length;
  if (count > 0) lost.push(count === 1 ? 'one of its parts' : `${count} of its parts`);
  const turn: Turn = {
    id: keep('its id', shape.id, row.id, randomUUID()),
    role: keep('who said it', shape.role, row.role, role),
    status: keep('its state', turnStatusSchema, row.status, 'complete'),
    parts: parts.map((part) => part ?? unreadablePart),
    error: keep('its error', wireErrorSchema.nullable(), parseJson(row.error), null),
    notices: keep('its notices', noticeSchema.array(), parseJson(row.notices), []),
    usage: keep('its figures', usageSchema.nullable(), parseJson(row.usage), null),
    model: keep('its model', shape.model, row.model, null),
    createdAt: keep('its time', shape.createdAt, row.created_at, 0),
  };
  const recipe = keep('its recipe', shape.recipe, parseJson(row.recipe) ?? undefined, undefined);
  const given = row.rating === null ? undefined : ratingOf(row.rating);
  const rating = keep('its rating', ratingSchema.optional(), given, undefined);
  const message = `This turn is damaged in the database. What could not be read: ${lost.join(', ')}.`;
  return {
    ...turn,
    ...(recipe === undefined ? {} : { recipe }),
    ...(rating === undefined ? {} : { rating }),
    notices: [...turn.notices, { code: 'damaged', message }],
  };
}

/** How a rating is stored. */
export const ratingNumbers: Readonly<Record<Rating, number>> = { up: 1, down: -1 };

/** Undefined's stead: a number that is no rating is no value that the schema takes. */
function ratingOf(stored: number): unknown {
  return stored === 1 ? 'up' : stored === -1 ? 'down' : stored;
}

/** Null where it cannot be read. */
function readPart(row: PartRow): MessagePart | null {
  try {
    return partFromRow(row);
  } catch {
    return null;
  }
}

function partFromRow(row: PartRow): MessagePart {
  switch (row.kind) {
    case 'picture':
      return { kind: 'picture', picture: pictureFromRow(row) };
    case 'undrawn':
      return messagePartSchema.parse({
        kind: 'undrawn',
        caption: row.body,
        error: parseJson(row.part_error),
      });
    default:
      return messagePartSchema.parse({ kind: row.kind, text: row.body });
  }
}

/** Undefined, which no schema takes, where it is no JSON. */
function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}
