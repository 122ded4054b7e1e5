import { appProtocols } from '../../shared/contracts/app-channels.ts';
import { htmlLanguages } from '../../shared/texts/language.ts';
import { english, type Voice } from '../../shared/texts/voice.ts';

/** What can be wrong with the page itself: its process died again and again, or it does not answer. */
export type PageFault = 'gone' | 'hung';
export type NoticeAction = 'reload' | 'wait';

interface Words {
  readonly title: string;
  readonly sentence: string;
  readonly actions: readonly { readonly name: NoticeAction; readonly label: string }[];
}

function wordsOf(fault: PageFault, { texts }: Voice): Words {
  const { gone, hung, openAgain, wait } = texts().desktop;
  const reload = { name: 'reload', label: openAgain } as const;
  return fault === 'gone'
    ? { ...gone, actions: [reload] }
    : { ...hung, actions: [reload, { name: 'wait', label: wait }] };
}

// A host of its own: Chromium gives another site another process, which answers when the page's does not.
const prefix = `${appProtocols.page}://notice/`;

/** Where the notice about a fault is. */
export const noticeAddress = (fault: PageFault): string => `${prefix}${fault}`;

/** The action that an address stands for: going there is pressing it. */
export function noticeAction(address: string): NoticeAction | null {
  const actions: readonly NoticeAction[] = ['reload', 'wait'];
  return actions.find((name) => address === `${prefix}${name}`) ?? null;
}

/** The notice at an address, without any script; null where there is none. */
export function noticeAt(address: string, voice: Voice = english): string | null {
  const faults: readonly PageFault[] = ['gone', 'hung'];
  const fault = faults.find((each) => address === noticeAddress(each));
  return fault === undefined ? null : render(wordsOf(fault, voice), voice);
}

function render({ title, sentence, actions }: Words, voice: Voice): string {
  const links = actions.map(
    ({ name, label }, index) =>
      `<a href="${prefix}${name}" data-testid="notice-${name}" draggable="false"${index === 0 ? ' autofocus' : ''}>${label}</a>`,
  );
  return `<!doctype html>
<html lang="${htmlLanguages[voice.language()]}">
<meta charset="utf-8">
<title>TextBind Studio</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 36rem; margin: 0 auto; padding: 1.5rem 2rem; }
h1 { margin: 0; font-size: 1.1rem; }
p { margin: 0.4rem 0 0.8rem; }
a { display: inline-block; margin-right: 0.75rem; padding: 0.35rem 0.9rem; border: 1px solid; border-radius: 8px; color: inherit; text-decoration: none; }
a:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
</style>
<main role="alert" data-testid="page-notice">
<h1>${title}</h1>
<p>${sentence}</p>
${links.join('\n')}
</main>
</html>
`;
}
