/** What the language model is told: files that a person can change, and what is made of them for one conversation. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { readTextFile } from '../../base/json-file.ts';
import { writeWholeFileSync } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import { seededRandom } from './groups.ts';

const instructions = 'instructions.md';
const request = 'request.md';
const examples = 'examples';
/** Where the captions go, and where the examples. */
const picturesMark = '{{pictures}}';
const examplesMark = '{{examples}}';
/** Examples that one request has. More teach more, and cost more. */
const examplesAtOnce = 3;
const exampleBytes = 20_000;

export interface PromptPlaces {
  /** As they came with the app. */
  readonly defaults: string;
  /** The person's; made when it is first wanted. */
  readonly own: string;
}

export interface BuiltPrompt {
  readonly system: string;
  /** The same without examples, for a model that reads little. */
  readonly brief: string;
  readonly user: string;
}

export class Prompts {
  readonly #places: PromptPlaces;

  constructor(places: PromptPlaces) {
    this.#places = places;
  }

  /** The person's folder, with what it lacks put in. */
  folder(): string {
    const { own, defaults } = this.#places;
    mkdirSync(own, { recursive: true });
    for (const name of [instructions, request, examples]) {
      const place = path.join(own, name);
      if (!existsSync(place)) cpSync(path.join(defaults, name), place, { recursive: true });
    }
    return own;
  }

  /** Puts the app's own back. @returns where the changed ones went; null where there were none */
  restore(stamp: string): string | null {
    const { own } = this.#places;
    const kept = existsSync(own) ? `${own}-${stamp}` : null;
    if (kept !== null) renameSync(own, kept);
    this.folder();
    return kept;
  }

  /** One more example for every request from now on. */
  addExample(name: string, captions: readonly string[], text: string): void {
    const folder = path.join(this.folder(), examples);
    mkdirSync(folder, { recursive: true });
    const words = `Captions:\n${numbered(captions)}\n\n${text.trim()}\n`;
    writeWholeFileSync(path.join(folder, `${name}.txt`), words);
  }

  /**
   * What is asked for one conversation. The same number and files give the same request.
   * @throws StudioError `bad-input` where a changed file lacks the place of the captions
   */
  build(captions: readonly string[], number: number): BuiltPrompt {
    const folder = this.folder();
    const file = path.join(folder, request);
    const asked = readTextFile(file, 'bad-input');
    if (!asked.includes(picturesMark)) {
      const message = `${file}: has no ${picturesMark}, so nobody would learn of the captions. Put it in, or restore the prompts.`;
      throw new StudioError('bad-input', message);
    }
    const told = readTextFile(path.join(folder, instructions), 'bad-input');
    return {
      system: told.replaceAll(examplesMark, () => this.#examples(folder, number)).trim(),
      brief: told.replaceAll(examplesMark, '').trim(),
      user: asked.replaceAll(picturesMark, () => numbered(captions)).trim(),
    };
  }

  #examples(folder: string, number: number): string {
    const place = path.join(folder, examples);
    const names = existsSync(place)
      ? readdirSync(place).filter((each) => each.endsWith('.txt'))
      : [];
    const random = seededRandom(number);
    const drawn = names
      .sort()
      .map((name) => ({ name, rank: random() }))
      .sort((one, other) => one.rank - other.rank)
      .slice(0, examplesAtOnce);
    return drawn
      .map(({ name }) => readFileSync(path.join(place, name), 'utf8').slice(0, exampleBytes).trim())
      .map((text, at) => `Example ${at + 1}\n\n${text}`)
      .join('\n\n');
  }
}

function numbered(captions: readonly string[]): string {
  return captions.map((caption, at) => `<img${at}>${caption}</img${at}>`).join('\n');
}

/** About how many tokens a text is: four letters of an alphabet, or one character of a script without spaces. */
export function roughTokens(text: string): number {
  const dense = text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0;
  return dense + Math.ceil((text.length - dense) / 4);
}
