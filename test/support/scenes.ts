import type { PromptTurn } from '../../src/shared/contracts/worker-protocol.ts';

/** What the scripted engine does for one reply, step by step. */
export type SceneStep =
  | { readonly do: 'say'; readonly text: string }
  | { readonly do: 'draw'; readonly caption: string; readonly fails?: string }
  | { readonly do: 'notice'; readonly message: string }
  | { readonly do: 'fail'; readonly message: string }
  | { readonly do: 'crash' }
  | { readonly do: 'cut' };

const say = (text: string): SceneStep => ({ do: 'say', text });

/** The reply to a prompt. Words that begin with a slash ask for trouble, so that every state can be looked at. */
export function sceneFor(turns: readonly PromptTurn[]): readonly SceneStep[] {
  const last = turns.at(-1);
  if (last === undefined) return [];
  if (last.role === 'assistant') return [say(' and this is how it went on.')];
  const text = last.parts.map((part) => (part.kind === 'text' ? part.text : ' ')).join('');
  // A slash command counts by its last occurrence: what was asked before stands in the prompt too.
  const command = [...text.matchAll(/(?:^|\s)\/(\w+)/g)].at(-1)?.[1];
  const commanded = command === undefined ? undefined : scenes[command];
  if (commanded !== undefined) return commanded;
  const wanted = /\bdraw (?:me )?(.+?)[.!?]?$/i.exec(text.trim())?.[1];
  if (wanted !== undefined) {
    return [say(`Here is ${wanted}: `), { do: 'draw', caption: `${wanted} on a plain background` }];
  }
  return [say(aboutPictures(last.parts.filter(({ kind }) => kind === 'picture').length))];
}

function aboutPictures(count: number): string {
  if (count === 0) {
    return 'I can talk about pictures and draw new ones. Put a picture in your message, or ask me to **draw** something.';
  }
  return count === 1
    ? 'This is a red apple on a green background. Would you like me to draw another one?'
    : `I see ${count} pictures. The first is a red apple, the second a yellow bird.`;
}

const hostile = [
  '<script>globalThis.attacked = true</script>',
  '<img src=x onerror="globalThis.attacked = true">',
  '[a link](javascript:globalThis.attacked=true) and ![a picture](https://example.org/track.png)',
  '<svg onload="globalThis.attacked=true"></svg><style>body { display: none }</style>',
  '[safe](https://example.org/page)',
].join('\n\n');

const markdown = [
  '# Still life',
  'Three things to look for, in order of **importance**[^paint]:',
  '1. the light, and where it comes from\n2. the *edges* of each thing\n3. the ground it stands on',
  '## Measures\n\n### By eye',
  '> Paint what you see, not what you know.',
  'A circle has the area \\(A = \\pi r^2\\), and light falls off as\n\\[\nI(d) = \\frac{P}{4 \\pi d^2}\n\\]',
  '```ts\n// Forty steps, as in the paper.\nconst apple = draw("a red apple", { steps: 40 });\n```',
  '| Colour | Mixed from | Parts |\n| --- | :---: | ---: |\n| Green | blue, yellow | 1.5 |\n| Orange | red, yellow | 12 |',
  '#### In other words',
  'زجاجة زرقاء على طاولة.\n\n- تفاحة حمراء\n- ضوء من اليسار',
  'More at [a page](https://example.org/colour), or use `draw`.',
  '[^paint]: As every book on painting says, sooner or later.',
].join('\n\n');

const trimmed =
  'The first 4 turns were left out: the conversation is longer than the model can hold.';
const noMemory = 'There was not enough memory to draw: 1.2 GB were needed, 0.4 GB were free.';

const scenes: Readonly<Record<string, readonly SceneStep[]>> = {
  crash: [say('I was about to say something long when the engine'), { do: 'crash' }],
  fail: [
    { do: 'fail', message: 'The conversation does not fit into the model: 2300 of 2048 tokens.' },
  ],
  cut: [say('A long story begins on a quiet morning, when nobody had'), { do: 'cut' }],
  notice: [
    { do: 'notice', message: trimmed },
    say('I remember only the last part of what we said.'),
  ],
  undrawn: [
    say('Here it is: '),
    { do: 'draw', caption: 'a lighthouse in a storm', fails: noMemory },
    say('\n\nI hope that you like it.'),
  ],
  hostile: [say(hostile)],
  two: [
    say('First the apple. '),
    { do: 'draw', caption: 'a red apple on a white background' },
    say('And now the pear.'),
    { do: 'draw', caption: 'a green pear on a white background' },
    say('They go well together.'),
  ],
  markdown: [say(markdown)],
  long: [say('One thing leads to another, and so the story goes on. '.repeat(120))],
};
