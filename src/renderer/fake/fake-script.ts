/** What the fake model does for one reply, step by step. */
export type FakeStep =
  | { readonly do: 'say'; readonly text: string }
  | { readonly do: 'draw'; readonly caption: string; readonly fails?: string }
  | { readonly do: 'notice'; readonly message: string }
  | { readonly do: 'fail'; readonly message: string }
  | { readonly do: 'crash' }
  | { readonly do: 'cut' };

/** The reply to a message. Words beginning with a slash command trouble, so that every state can be looked at. */
export function scriptFor(text: string, pictures: number): readonly FakeStep[] {
  const command = /(?:^|\s)\/(\w+)/.exec(text)?.[1];
  const commanded = command === undefined ? undefined : commands[command];
  if (commanded !== undefined) return commanded;
  const wanted = /\bdraw (?:me )?(.+?)[.!?]?$/i.exec(text.trim())?.[1];
  if (wanted !== undefined) {
    return [
      { do: 'say', text: `Here is ${wanted}: ` },
      { do: 'draw', caption: `${wanted} on a plain background` },
    ];
  }
  if (pictures > 0) {
    return [
      {
        do: 'say',
        text:
          pictures === 1
            ? 'This is a red apple on a green background. Would you like me to draw another one?'
            : `I see ${pictures} pictures. The first is a red apple, the second a yellow bird.`,
      },
    ];
  }
  return [
    {
      do: 'say',
      text: 'I can talk about pictures and draw new ones. Put a picture in your message, or ask me to **draw** something.',
    },
  ];
}

const hostile = [
  '<script>globalThis.attacked = true</script>',
  '<img src=x onerror="globalThis.attacked = true">',
  '[a link](javascript:globalThis.attacked=true) and ![a picture](https://example.org/track.png)',
  '<svg onload="globalThis.attacked=true"></svg><style>body { display: none }</style>',
  '[safe](https://example.org/page)',
].join('\n\n');

const commands: Readonly<Record<string, readonly FakeStep[]>> = {
  crash: [
    { do: 'say', text: 'I was about to say something long when the engine' },
    { do: 'crash' },
  ],
  fail: [
    { do: 'fail', message: 'The conversation does not fit into the model: 2300 of 2048 tokens.' },
  ],
  cut: [
    { do: 'say', text: 'A long story begins on a quiet morning, when nobody had' },
    { do: 'cut' },
  ],
  notice: [
    {
      do: 'notice',
      message:
        'The first 4 turns were left out: the conversation is longer than the model can hold.',
    },
    { do: 'say', text: 'I remember only the last part of what we said.' },
  ],
  undrawn: [
    { do: 'say', text: 'Here it is: ' },
    {
      do: 'draw',
      caption: 'a lighthouse in a storm',
      fails: 'There was not enough memory to draw: 1.2 GB were needed, 0.4 GB were free.',
    },
    { do: 'say', text: '\n\nI hope that you like it.' },
  ],
  hostile: [{ do: 'say', text: hostile }],
  two: [
    { do: 'say', text: 'First the apple. ' },
    { do: 'draw', caption: 'a red apple on a white background' },
    { do: 'say', text: 'And now the pear.' },
    { do: 'draw', caption: 'a green pear on a white background' },
    { do: 'say', text: 'They go well together.' },
  ],
  markdown: [
    {
      do: 'say',
      text: [
        '# Still life',
        'Three things to look for, in order of **importance**:',
        '1. the light, and where it comes from\n2. the *edges* of each thing\n3. the ground it stands on',
        '> Paint what you see, not what you know.',
        '```ts\nconst apple = draw("a red apple", { steps: 40 });\n```',
        '| Colour | Mixed from |\n| --- | --- |\n| Green | blue, yellow |\n| Orange | red, yellow |',
        'More at [a page](https://example.org/colour), or use `draw`.',
      ].join('\n\n'),
    },
  ],
  long: [{ do: 'say', text: 'One thing leads to another, and so the story goes on. '.repeat(120) }],
};
