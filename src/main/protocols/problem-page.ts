import { appProtocols } from '../../shared/contracts/app-channels.ts';
import { htmlLanguages } from '../../shared/texts/language.ts';
import { english, type Voice } from '../../shared/texts/voice.ts';

/** What the page offers; main does nothing else for it. */
export const problemActions = [
  'retry',
  'restore',
  'salvage',
  'show-folder',
  'copy-error',
  'start-anew',
] as const;
export type ProblemActionName = (typeof problemActions)[number];

export interface ProblemAction {
  readonly name: ProblemActionName;
  /** Which copy, for `restore`; 0 for the others. */
  readonly index: number;
}

export interface OfferedAction extends ProblemAction {
  readonly label: string;
  /** What it does and what it costs, where the label does not say all of it. */
  readonly note: string | null;
}

export interface ProblemPage {
  readonly title: string;
  readonly sentences: readonly string[];
  /** The first is the one that is meant for most. */
  readonly actions: readonly OfferedAction[];
  /** What the last action did, or why it could not. */
  readonly message: string | null;
  /** An action is going on: nothing can be pressed. */
  readonly isBusy: boolean;
}

const host = 'problem';

/** The address that stands for an action: going there is pressing it. */
export function actionAddress({ name, index }: ProblemAction): string {
  return `${appProtocols.page}://${host}/${name}/${index}`;
}

/** The action that an address stands for, or null: the six names and a number, nothing beside them. */
export function actionOfAddress(address: string): ProblemAction | null {
  const pattern = new RegExp(`^${appProtocols.page}://${host}/([a-z-]{1,20})/(\\d{1,3})$`);
  const [, name, index] = pattern.exec(address) ?? [];
  const known = problemActions.find((each) => each === name);
  return known === undefined ? null : { name: known, index: Number(index) };
}

/**
 * The page that says why the app cannot start and offers what helps. It has no script: its actions are links, which
 * main catches.
 */
export function renderProblemPage(page: ProblemPage, voice: Voice = english): string {
  const { title, sentences, actions, message, isBusy } = page;
  return `<!doctype html>
<html lang="${htmlLanguages[voice.language()]}">
<meta charset="utf-8">
<title>TextBind Studio</title>
<style>${style}</style>
<main data-testid="startup-problem" aria-busy="${isBusy}">
<div role="alert">
<h1>${escapeHtml(title)}</h1>
${sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`).join('\n')}
</div>
${message === null ? '' : `<p class="message" role="status" data-testid="problem-message">${escapeHtml(message)}</p>`}
${isBusy || actions.length === 0 ? '' : `<ul aria-label="${voice.texts().desktop.whatCanBeDone}">\n${actions.map(renderAction).join('\n')}\n</ul>`}
</main>
</html>
`;
}

function renderAction(action: OfferedAction, index: number): string {
  const { name, label, note } = action;
  const attributes = [
    `href="${actionAddress(action)}"`,
    `class="action${index === 0 ? ' primary' : ''}"`,
    `data-testid="problem-${name}"`,
    'draggable="false"',
    ...(index === 0 ? ['autofocus'] : []),
    ...(note === null ? [] : [`aria-describedby="note-${index}"`]),
  ];
  const explained =
    note === null ? '' : `<span class="note" id="note-${index}">${escapeHtml(note)}</span>`;
  return `<li><a ${attributes.join(' ')}>${escapeHtml(label)}</a>${explained}</li>`;
}

/** The window's colours (renderer/styles/tokens.css), written out: nothing is loaded here. */
const style = `
:root {
  color-scheme: light dark;
  --ground: light-dark(oklch(0.992 0.003 85), oklch(0.205 0.004 75));
  --text: light-dark(oklch(0.25 0.008 75), oklch(0.93 0.005 85));
  --text-soft: light-dark(oklch(0.45 0.008 75), oklch(0.75 0.006 85));
  --line-strong: light-dark(oklch(0.82 0.007 85), oklch(0.4 0.006 75));
  --accent: light-dark(oklch(0.46 0.078 195), oklch(0.74 0.095 190));
  --on-accent: light-dark(oklch(0.99 0.005 190), oklch(0.2 0.03 195));
  font: 15px/1.55 'Inter Variable', system-ui, sans-serif;
}
body { margin: 0; background: var(--ground); color: var(--text); }
main { max-width: 36rem; margin: 12vh auto 4rem; padding: 0 2rem; }
h1 { font-size: 1.25rem; font-weight: 600; }
p { overflow-wrap: anywhere; white-space: pre-line; }
.message { padding: 0.75rem 1rem; border: 1px solid var(--line-strong); border-radius: 10px; }
ul { display: grid; gap: 0.75rem; margin: 1.5rem 0 0; padding: 0; list-style: none; }
li { display: grid; gap: 0.15rem; justify-items: start; }
.action {
  padding: 0.4rem 0.9rem; border: 1px solid var(--line-strong); border-radius: 8px;
  color: var(--text); text-decoration: none;
}
.action:hover { border-color: var(--accent); }
.action.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.action:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.note { color: var(--text-soft); font-size: 13px; }
`;

function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => names[character] ?? '');
}
