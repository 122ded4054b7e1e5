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
    { keys: 'Enter', does: 'Send' },
    { keys: `${shift} Enter`, does: 'New line' },
    { keys: keys('escape'), does: 'Stop the reply, or close what is open' },
    { keys: keys('add-pictures'), does: 'Add pictures at the cursor' },
    { keys: keys('rate-up'), does: 'The last reply is good' },
    { keys: keys('rate-down'), does: 'The last reply is poor' },
    { keys: `${alt} ← →`, does: 'Move the selected picture' },
    { keys: keys('new-conversation'), does: 'New conversation' },
    { keys: keys('search'), does: 'Search conversations' },
    { keys: keys('find'), does: 'Find in this conversation' },
    { keys: keys('write'), does: 'Go to the message' },
    { keys: '↑ ↓', does: 'Go through the list; → what can be done with one' },
    { keys: 'F2', does: 'Rename a conversation in the list' },
    { keys: 'Del', does: 'Delete a conversation in the list' },
    { keys: keys('toggle-list'), does: 'Show or hide the list' },
    { keys: `${control} 1 2 3 4 5`, does: 'Chat, Gallery, Training, Models, Settings' },
    { keys: `${control} + − 0`, does: 'Larger, smaller, as usual' },
    { keys: keys('shortcuts'), does: 'This list' },
  ];
}
