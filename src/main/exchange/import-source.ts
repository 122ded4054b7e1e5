import type { ConversationRecord } from '../../shared/domain/conversation-record.ts';
import type { Preset } from '../../shared/domain/settings.ts';

/** What an import is read from: an archive, or conversations in the TextBind schema. */
export interface ImportSource {
  readonly file: string;
  /** In the order in which they are stored. */
  readonly conversationIds: readonly string[];
  /** @throws {StudioError} `bad-input` naming what is wrong with it */
  conversation(id: string): Promise<ConversationRecord>;
  /**
   * The bytes of a picture; null where there are none.
   * @throws {StudioError} `bad-input` where they are not what they should be
   */
  picture(sha256: string): Promise<Buffer | null>;
  /** Settings under names that come with it. */
  readonly presets?: readonly Preset[] | undefined;
  close(): void;
}
