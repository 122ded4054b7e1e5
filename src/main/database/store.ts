import { createConversationTable, type ConversationTable } from './conversations.ts';
import type { StudioDatabase } from './open.ts';
import { createPictureTable, type PictureTable } from './pictures.ts';
import { createSettingsTable, type SettingsTable } from './settings.ts';
import { createTurnTable, type TurnTable } from './turns.ts';

/** Everything that is stored in the database, by table. */
export interface Store {
  readonly conversations: ConversationTable;
  readonly turns: TurnTable;
  readonly pictures: PictureTable;
  readonly settings: SettingsTable;
  /** Runs it as one transaction: all of it is stored, or nothing. */
  transaction<Result>(work: () => Result): Result;
}

/** Prepares every query on an open database. */
export function createStore(database: StudioDatabase): Store {
  return {
    conversations: createConversationTable(database),
    turns: createTurnTable(database),
    pictures: createPictureTable(database),
    settings: createSettingsTable(database),
    transaction: (work) => database.transaction(work).immediate(),
  };
}
