import { plural } from './plural.ts';
import type { Value } from '../value.ts';

export const trash = {
  deletedConversationsStayHereFor: (keptDays: Value) =>
    `Deleted conversations stay here for ${keptDays} days, with their pictures and all versions.`,
  deleteAllForGood: (total: Value) => `Delete ${total} for good`,
  emptyTrash: 'Empty trash',
  trashIsEmpty: 'The trash is empty.',
  backToConversations: 'Back to conversations',
  turns: (count: number) => `${count} ${plural(count, 'turn', 'turns')}`,
  restore: 'Restore',
  deleteOneForGood: (title: Value) => `Delete ${title} for good`,
  deleteAsksOnceMore: (title: Value) => `Delete ${title}, asks once more`,
  deleteForGood: 'Delete for good',
  deleteForGoodMenu: 'Delete for good…',
};
