/** What an empty conversation offers to begin with. Of each kind one is taken by chance, so that no two days look alike. */
import catUrl from './samples/cat.jpg?inline';
import penguinUrl from './samples/penguin.jpg?inline';
import pizzaUrl from './samples/pizza.jpg?inline';
import rocketUrl from './samples/rocket.jpg?inline';

/** A picture that comes with the studio, and a question about it. */
export interface Sample {
  readonly name: string;
  /** A `data:` address. */
  readonly url: string;
  readonly question: string;
}

/** Two offers to draw, a sample to ask about, and a question in words. */
export interface Starters {
  readonly sample: Sample;
  readonly drawing: string;
  readonly scene: string;
  readonly words: string;
}

const questions = ['What is in this picture?', 'Describe this picture.', 'What do you see here?'];
const samples: readonly Omit<Sample, 'question'>[] = [
  { name: 'rocket.jpg', url: rocketUrl },
  { name: 'penguin.jpg', url: penguinUrl },
  { name: 'pizza.jpg', url: pizzaUrl },
  { name: 'cat.jpg', url: catUrl },
];
const drawings = ['a penguin', 'a rocket', 'an owl', 'a birthday cake', 'a sunflower', 'a castle'];
const scenes = ['a cat', 'a lion', 'an apple', 'a car', 'a guitar', 'a snowman'];
const colours = ['a blue', 'a yellow', 'a pink', 'a green', 'an orange'];
const talk = [
  'Who are you?',
  'What can you do?',
  'Tell me a joke.',
  'Tell me a picture story about a fox.',
];

function oneOf<T>(all: readonly T[], chance: () => number): T {
  const found = all[Math.floor(chance() * all.length)];
  if (found === undefined) throw new Error('nothing to choose from');
  return found;
}

/**
 * Starters for one look at an empty conversation.
 *
 * @param chance numbers from 0 to below 1.
 */
export function chooseStarters(chance: () => number = Math.random): Starters {
  return {
    sample: { ...oneOf(samples, chance), question: oneOf(questions, chance) },
    drawing: `Draw ${oneOf(drawings, chance)}.`,
    scene: `Draw ${oneOf(scenes, chance)} on ${oneOf(colours, chance)} background.`,
    words: oneOf(talk, chance),
  };
}

/** The sample as a file, as if a person had chosen it. */
export function fileOf({ name, url }: Sample): File {
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (sign) =>
    sign.charCodeAt(0),
  );
  return new File([bytes], name, { type: 'image/jpeg' });
}
