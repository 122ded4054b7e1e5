import path from 'node:path';
import { z } from 'zod';
import { checkJson, parseJson, readJson } from '../../base/json-file.ts';
import { StudioError } from '../../shared/errors.ts';
import { buildPrompt } from '../../worker/inputs/prompt.ts';
import { openLanguageTokenizer } from '../../worker/inputs/tokenizer.ts';
import { readModelFolder } from '../../library/model-folder.ts';
import { command } from '../options.ts';
import { checkConversation, toPromptTurn } from '../conversation-file.ts';
import { findModelFolder } from '../model-option.ts';
import { runTrainer } from '../trainer-process.ts';
import { required, UsageError } from '../usage.ts';

export const tokensCommand = command({
  usage: 'textbind tokens --model NAME|DIR --conversation IN.json [--trainer] [--json]',
  texts: ['model', 'conversation'],
  flags: ['trainer'],
  async run({ values, output }) {
    const file = path.resolve(required(values.conversation, 'conversation'));
    const folder = await findModelFolder(required(values.model, 'model'));
    const ids = values.trainer ? await trainerIds(folder, file) : await engineIds(folder, file);
    output.result({ ids }, () => output.line(ids.join(' ')));
  },
});

/** The whole conversation's ids up to the reply; what a model's context cannot hold is not left out here. */
async function engineIds(folder: string, file: string): Promise<readonly number[]> {
  const { manifest, languageModel } = readModelFolder(folder);
  const { system, rest } = withoutSystem(readJson(file, 'bad-input'));
  const { conversation } = checkConversation(rest, file);
  const tokenizer = await openLanguageTokenizer(languageModel);
  const turns = conversation.map((turn) => toPromptTurn(turn, null));
  const { ids } = buildPrompt(tokenizer, turns, {
    queryTokens: manifest.qformerConfig.numQueryTokens,
    maxPositions: Number.MAX_SAFE_INTEGER,
    ...(system === null ? {} : { system }),
  });
  return ids;
}

/** Training data may begin with a system turn; a chat has none. */
function withoutSystem(json: unknown): { readonly system: string | null; readonly rest: unknown } {
  const none = { system: null, rest: json };
  if (typeof json !== 'object' || json === null || !('conversation' in json)) return none;
  const turns: unknown = json.conversation;
  if (!Array.isArray(turns)) return none;
  const first: unknown = turns[0];
  if (typeof first !== 'object' || first === null || !('role' in first && 'content' in first)) {
    return none;
  }
  if (first.role !== 'system' || typeof first.content !== 'string') return none;
  return { system: first.content, rest: { ...json, conversation: turns.slice(1) } };
}

const idsSchema = z.object({ ids: z.array(z.number().int()) });

async function trainerIds(folder: string, file: string): Promise<readonly number[]> {
  const lines: string[] = [];
  const exit = await runTrainer('tokens', ['--model', folder, '--conversation', file], {
    onLine: (line) => lines.push(line),
  });
  const said = exit.errorText.split('\n').at(-1) ?? '';
  if (exit.code === 2) throw new UsageError(said);
  if (exit.code !== 0) throw new StudioError('internal', `the trainer failed: ${said}`);
  const json = parseJson(lines.join(''), "the trainer's answer", 'internal');
  return checkJson(json, idsSchema, "the trainer's answer", 'internal').ids;
}
