/** What a key press means anywhere in the window. */
export type ShortcutAction =
  | 'new-conversation'
  | 'search'
  | 'toggle-list'
  | 'add-pictures'
  | 'chat'
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

const withControl: Readonly<Record<string, ShortcutAction>> = {
  n: 'new-conversation',
  k: 'search',
  b: 'toggle-list',
  i: 'add-pictures',
  '1': 'chat',
  '2': 'models',
  '3': 'settings',
  ',': 'settings',
  '/': 'shortcuts',
};

/** The action of a key press, or null. Control, or Command on a Mac. */
export function actionOf(event: Key, platform: string): ShortcutAction | null {
  if (event.key === 'Escape') return 'escape';
  const control = platform === 'darwin' ? event.metaKey : event.ctrlKey;
  const other = platform === 'darwin' ? event.ctrlKey : event.metaKey;
  if (!control || other || event.altKey || event.shiftKey) return null;
  return withControl[event.key.toLowerCase()] ?? null;
}

/** The list that the window shows. */
export function listShortcuts(
  platform: string,
): readonly { readonly keys: string; readonly does: string }[] {
  const control = platform === 'darwin' ? '⌘ ' : 'Ctrl ';
  return [
    { keys: 'Enter', does: 'Send' },
    { keys: 'Shift Enter', does: 'New line' },
    { keys: 'Esc', does: 'Stop the reply, or close what is open' },
    { keys: `${control}I`, does: 'Add pictures at the cursor' },
    { keys: 'Alt ← →', does: 'Move the selected picture' },
    { keys: `${control}N`, does: 'New conversation' },
    { keys: `${control}K`, does: 'Search conversations' },
    { keys: '↑ ↓', does: 'Go through the list' },
    { keys: 'F2', does: 'Rename a conversation in the list' },
    { keys: 'Del', does: 'Delete a conversation in the list' },
    { keys: `${control}B`, does: 'Show or hide the list' },
    { keys: `${control}1 2 3`, does: 'Chat, Models, Settings' },
    { keys: `${control}/`, does: 'This list' },
  ];
}
