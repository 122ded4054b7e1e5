import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { noPython } from '../golden/run-python.ts';
import { textbind } from './textbind.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const shared = JSON.parse(readFileSync(join(fixtures, 'llama-tokens', 'cases.json'), 'utf8')) as {
  readonly numQueryTokens: number;
  readonly of: {
    readonly legacy: boolean;
    readonly prompts: { system: string | null; texts: string[]; ids: number[] }[];
  }[];
};
const folder = temporaryFolderForAll();

/** A model folder as far as its tokens need it. */
function writeModel(): void {
  const language = join(folder, 'language');
  mkdirSync(language);
  cpSync(join(fixtures, 'llama-tokens', 'tokenizer.json'), join(language, 'tokenizer.json'));
  writeFileSync(join(language, 'tokenizer_config.json'), JSON.stringify({ legacy: false }));
  const manifest = {
    ...{ name: 'Tokens', licence: '', visionModel: '.', qformer: '.', languageModel: 'language' },
    ...{ processor: '.', imageDecoder: null, maxSequenceLength: 64 },
    qformerConfig: {
      ...{ numQueryTokens: shared.numQueryTokens, numHiddenLayers: 1, numAttentionHeads: 1 },
      ...{ hiddenSize: 4, intermediateSize: 4 },
    },
  };
  writeFileSync(join(folder, 'textbind.json'), JSON.stringify(manifest));
}

function writeConversation(texts: readonly string[], system: string | null): string {
  const conversation = texts.map((content, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content,
    image_list: new Array<string>(content.split('<image>').length - 1).fill('a.png'),
    caption_list: [],
  }));
  const first = system === null ? [] : [{ role: 'system', content: system }];
  const file = join(folder, 'conversation.json');
  writeFileSync(file, JSON.stringify({ conversation: [...first, ...conversation] }));
  return file;
}

describe('textbind tokens', () => {
  beforeAll(writeModel);
  const cases = shared.of
    .find(({ legacy }) => !legacy)!
    .prompts.filter(({ texts }) => texts.length % 2 === 1);

  it('gives the prompt up to the reply, pictures as runs of their token', async () => {
    for (const { texts, system, ids } of cases) {
      const file = writeConversation(texts, system);
      const result = await textbind('tokens', '--model', folder, '--conversation', file, '--json');
      expect(result.stderr()).toBe('');
      expect(JSON.parse(result.stdout())).toEqual({ ids });
    }
  });

  it.skipIf(noPython !== undefined)('gives the same by the trainer', async () => {
    const { texts, system, ids } = cases.findLast((each) => each.system !== null)!;
    const call = ['tokens', '--model', folder, '--conversation', writeConversation(texts, system)];
    const result = await textbind(...call, '--trainer', '--json');
    expect(result.stderr()).toBe('');
    expect(JSON.parse(result.stdout())).toEqual({ ids });
    writeConversation(['Hi', 'Yes </s>', 'Bye'], null);
    const refused = await textbind(...call, '--trainer');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr()).toMatch(/markup tag '<\/s>'/);
  });
});
