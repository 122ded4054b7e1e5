import { describe, expect, it } from 'vitest';
import {
  diversity,
  diversityOf,
  editDistance,
  readWritten,
  reasonsAgainst,
  toTextbindTurns,
  writeWritten,
} from '../../../src/shared/domain/recipe-conversation.ts';
import { goodConversation } from '../../support/chat-server.ts';

const captions = ['a red bicycle against a brick wall', 'a bowl of ripe strawberries'];
const good = goodConversation(captions);
const reasons = (text: string): readonly string[] => reasonsAgainst(text, captions);

describe('a written conversation', () => {
  it('that obeys the rules has nothing against it', () => {
    expect(reasons(good)).toEqual([]);
    expect(readWritten(good).map(({ role }) => role)).toEqual(
      Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? 'user' : 'assistant')),
    );
  });

  it('is read past what models put around it: thoughts, fences, bold names, a preface', () => {
    const wrapped = `<think>Human: what? <img9>x</img9></think>Sure, here it is.\n\`\`\`text\n${good.replaceAll(/^(Human|Assistant):/gm, '**$1:**')}\n\`\`\``;
    expect(reasons(wrapped)).toEqual([]);
    expect(writeWritten(readWritten(wrapped))).toBe(writeWritten(readWritten(good)));
  });

  it.each([
    ['no-human', 'Assistant: <img0>a</img0>'],
    ['no-human', 'I am sorry, I cannot do that.'],
    ['roles', good.replace('Assistant: That', 'Human: That')],
    [
      'too-short',
      `Human: ${captions.map((each, at) => `<img${at}>${each}</img${at}>`).join('')}\nAssistant: Both are red.`,
    ],
    ['empty-turn', good.replace('Human: Thank you.', 'Human:')],
    ['no-picture', 'Human: a\nAssistant: b\nHuman: c\nAssistant: d'],
    ['picture-unknown', good.replace('Thank you.', 'Thank you. <img2>a dog</img2>')],
    ['picture-twice', good.replace('Thank you.', `Thank you. <img0>${captions[0]}</img0>`)],
    ['picture-unused', good.replace(`<img1>${captions[1]}</img1>`, '')],
    ['caption-changed', good.replace('>a red bicycle against', '>the blue motorbike before')],
    ['copied', good.replace('You are welcome, any time.', 'A bowl of ripe strawberries!')],
    [
      'repeated',
      good.replace('You are welcome, any time.', 'That it is worth a second look, time number 1!'),
    ],
    ['markup', good.replace('Thank you.', 'Thank you. [INST]')],
  ])('is refused: %s', (reason, text) => {
    expect(reasons(text)).toContain(reason);
  });

  it('keeps a caption within a tenth of its length, and loses tags without a pair', () => {
    expect(reasons(good.replace('>a red bicycle against', '>A red bicycles against'))).toEqual([]);
    const torn = good.replace('Thank you.', 'Thank </img0> you.<img1>');
    expect(reasons(torn)).toEqual([]);
    expect(JSON.stringify(readWritten(torn))).not.toContain('img');
  });

  it('ends with an answer: a last message without one is left out', () => {
    expect(readWritten(`${good}\nHuman: One more thing.`)).toHaveLength(6);
  });

  it('becomes a row of stage 2, with the true captions', () => {
    const near = good.replace('>a red bicycle against', '>a red bicyle against');
    const turns = toTextbindTurns(near, captions, ['7.jpg', '3.jpg']);
    expect(turns[0]).toEqual({
      role: 'user',
      content: 'Look at number 1. <image> What comes to mind?',
      image_list: ['7.jpg'],
      caption_list: [captions[0]],
    });
    expect(turns[3]).toMatchObject({ image_list: ['3.jpg'], caption_list: [captions[1]] });
  });
});

it('counts letters put in, taken out and changed', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('same', 'same')).toBe(0);
});

it('measures diversity as distinct n-grams over all, for two, three and four words', () => {
  expect(diversity('a b c d e')).toBe(3);
  // 2-grams: ab ba ab ba ab -> 2 of 5; 3-grams: aba bab aba bab -> 2 of 4; 4-grams: abab baba abab -> 2 of 3
  expect(diversityOf(['Human: a b a b a b\nAssistant: a b c d e'])).toEqual({
    user: diversity('a b a b a b'),
    assistant: 3,
  });
  expect(diversity('a b a b a b')).toBeCloseTo(2 / 5 + 2 / 4 + 2 / 3, 10);
});
