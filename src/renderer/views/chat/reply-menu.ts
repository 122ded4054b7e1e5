import ChartNoAxesColumn from '@lucide/svelte/icons/chart-no-axes-column';
import Columns2 from '@lucide/svelte/icons/columns-2';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import SlidersHorizontal from '@lucide/svelte/icons/sliders-horizontal';
import ThumbsDown from '@lucide/svelte/icons/thumbs-down';
import ThumbsUp from '@lucide/svelte/icons/thumbs-up';
import type { Reply } from '../../../shared/domain/reply.ts';
import type { Rating } from '../../../shared/domain/turn.ts';
import type { MenuItem } from '../../components/menu-item.ts';
import type { Studio } from '../../state/studio.svelte.ts';
import { t } from '../../texts.svelte.ts';

export interface ReplyState {
  readonly last: boolean;
  /** A reply can be started now. */
  readonly canAct: boolean;
  readonly canRate: boolean;
}

/** What the menu of a reply offers beside copying it. */
export function replyMenu(
  turn: Reply,
  { last, canAct, canRate }: ReplyState,
  { chat, shell, training }: Pick<Studio, 'chat' | 'shell' | 'training'>,
): readonly MenuItem[] {
  const rate = (is: Rating, label: string, icon: MenuItem['icon']): MenuItem => ({
    ...{ label, icon, checked: turn.rating === is },
    act: () => void chat.rate(turn.id, turn.rating === is ? null : is),
  });
  return [
    {
      label: last ? t.chat.regenerate : t.chat.regenerateFromHere,
      icon: RefreshCw,
      disabled: !canAct,
      act: () => void chat.regenerate(turn.id),
    },
    {
      label: t.chat.regenerateWithMenu,
      icon: SlidersHorizontal,
      disabled: !canAct,
      act: () => shell.inspect({ kind: 'regenerate', turnId: turn.id }),
    },
    ...(canRate
      ? [rate('up', t.chat.goodReply, ThumbsUp), rate('down', t.chat.poorReply, ThumbsDown)]
      : []),
    {
      label: t.chat.askTwoModelsSame,
      icon: Columns2,
      act: () => {
        training.show({ kind: 'compare', start: { turnId: turn.id } });
        shell.go('training');
      },
    },
    {
      label: t.chat.figuresOfThisReply,
      icon: ChartNoAxesColumn,
      act: () => shell.inspect({ kind: 'reply', turnId: turn.id }),
    },
  ];
}
