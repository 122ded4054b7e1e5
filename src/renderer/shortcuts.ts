import { t } from './texts.svelte.ts';

/** What a key press means anywhere in the window. */
export type ShortcutAction =
  | 'new-conversation'
  | 'search'
  | 'find'
  | 'write'
  | 'toggle-list'
  | 'add-pictures'
  | 'rate-up'
  | 'rate-down'
  | 'chat'
  | 'gallery'
  | 'training'
  | 'models'
  | 'settings'
  | 'shortcuts'
  | 'escape';

interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** The one table of keys with Control, or Command on a Mac. What an action's button shows is its first. */
const withControl: readonly (readonly [key: string, action: ShortcutAction])[] = [
  ['n', 'new-conversation'],
  ['k', 'search'],
  ['f', 'find'],
  ['l', 'write'],
  ['b', 'toggle-list'],
  ['i', 'add-pictures'],
  ['u', 'rate-up'],
  ['d', 'rate-down'],
  ['1', 'chat'],
  ['2', 'gallery'],
  ['3', 'training'],
  ['4', 'models'],
  ['5', 'settings'],
  [',', 'settings'],
  ['/', 'shortcuts'],
];
const actionsWithControl: ReadonlyMap<string, ShortcutAction> = new Map(withControl);

/** What each platform calls the keys that go with others. */
function modifiersOf(platform: string) {
  return platform === 'darwin'
    ? { control: '⌘', alt: '⌥', shift: '⇧' }
    : { control: 'Ctrl', alt: 'Alt', shift: 'Shift' };
}

/** The action of a key press, or null. Control, or Command on a Mac. */
export function actionOf(event: Key, platform: string): ShortcutAction | null {
  if (event.key === 'Escape') return 'escape';
  const control = platform === 'darwin' ? event.metaKey : event.ctrlKey;
  const other = platform === 'darwin' ? event.ctrlKey : event.metaKey;
  if (!control || other || event.altKey || event.shiftKey) return null;
  return actionsWithControl.get(event.key.toLowerCase()) ?? null;
}

/** The keys of an action as a tooltip names them, e.g. `Ctrl N`, or `⌘ N` on a Mac. */
export function keysOf(action: ShortcutAction, platform: string): string {
  if (action === 'escape') return 'Esc';
  const key = withControl.find(([, each]) => each === action)?.[0] ?? '';
  return `${modifiersOf(platform).control} ${key.toUpperCase()}`;
}

/** The list that the window shows. */
export function listShortcuts(
  platform: string,
): readonly { readonly keys: string; readonly does: string }[] {
  const { control, alt, shift } = modifiersOf(platform);
  const keys = (action: ShortcutAction): string => keysOf(action, platform);
  return [
    { keys: 'Enter', does: t.common.send },
    { keys: `${shift} Enter`, does: t.shell.newLine },
    { keys: keys('escape'), does: t.shell.stopReplyOrCloseWhat },
    { keys: keys('add-pictures'), does: t.shell.addPicturesAtCursor },
    { keys: keys('rate-up'), does: t.shell.lastReplyIsGood },
    { keys: keys('rate-down'), does: t.shell.lastReplyIsPoor },
    { keys: `${alt} ← →`, does: t.shell.moveSelectedPicture },
    { keys: keys('new-conversation'), does: t.common.newConversation },
    { keys: keys('search'), does: t.common.searchConversations },
    { keys: keys('find'), does: t.shell.findInThisConversation },
    { keys: keys('write'), does: t.shell.goToMessage },
    { keys: '↑ ↓', does: t.shell.goThroughListWhatCan },
    { keys: 'F2', does: t.shell.renameConversationInList },
    { keys: 'Del', does: t.shell.deleteConversationInList },
    { keys: keys('toggle-list'), does: t.shell.showOrHideList },
    { keys: `${control} 1 2 3 4 5`, does: t.shell.chatGalleryTrainingModelsSettings },
    { keys: `${control} + − 0`, does: t.shell.largerSmallerAsUsual },
    { keys: keys('shortcuts'), does: t.shell.thisList },
  ];
}
