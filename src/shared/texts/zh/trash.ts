import type { Value } from '../value.ts';
import type { trash as english } from '../en/trash.ts';

export const trash: typeof english = {
  deletedConversationsStayHereFor: (keptDays: Value) =>
    `已删除的对话连同图片和所有版本在这里保留 ${keptDays} 天。`,
  deleteAllForGood: (total: Value) => `永久删除 ${total} 个`,
  emptyTrash: '清空回收站',
  trashIsEmpty: '回收站是空的。',
  backToConversations: '返回对话',
  turns: (turnCount: number) => `${turnCount} 轮`,
  restore: '恢复',
  deleteOneForGood: (title: Value) => `永久删除“${title}”`,
  deleteAsksOnceMore: (title: Value) => `删除“${title}”，会再确认一次`,
  deleteForGood: '永久删除',
  deleteForGoodMenu: '永久删除…',
};
