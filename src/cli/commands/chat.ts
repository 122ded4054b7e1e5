import { createHash, randomUUID } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import type { DrawnPicture, WorkerReplyEvent } from '../../shared/contracts/reply-event.ts';
import { limitsOf } from '../../shared/domain/limits.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { applyReplyEvent, storedTurn, type Reply } from '../../shared/domain/reply.ts';
import { samplingSchema } from '../../shared/domain/settings.ts';
import { emptyTurn, type MessagePart, type Notice } from '../../shared/domain/turn.ts';
import {
  imageTag,
  type TextbindConversation,
  type TextbindTurn,
} from '../../shared/domain/textbind-conversation.ts';
import { command, type OptionValues } from '../options.ts';
import { readConversation, toPromptTurn } from '../conversation-file.ts';
import { openModelOption } from '../model-option.ts';
import {
  drawingLimits,
  numberOption,
  required,
  strengthLimits,
  UsageError,
  type Output,
} from '../usage.ts';
import type { TokenSampling } from '../../worker/sampling/token-sampler.ts';
import { known } from '../../shared/errors.ts';

/** Without --greedy, replies vary: the usual mild settings. */
export const livelySampling = { temperature: 0.7, topK: 0, topP: 0.9 } as const;
const greedySampling = { temperature: 0, topK: 0, topP: 1 } as const;

/** As in the settings. */
const samplingLimits = {
  temperature: limitsOf(samplingSchema.shape.temperature),
  topP: { ...limitsOf(samplingSchema.shape.topP), min: 0.01 },
  topK: limitsOf(samplingSchema.shape.topK),
  maxNewTokens: limitsOf(samplingSchema.shape.maxNewTokens),
};
const samplingOptions = ['temperature', 'top-p', 'top-k'] as const;

/** How tokens are chosen. Temperature 0 is greedy whatever else is said. */
function readSampling(
  values: OptionValues<(typeof samplingOptions)[number], 'greedy'>,
): TokenSampling {
  const given = {
    temperature: numberOption(values.temperature, 'temperature', samplingLimits.temperature),
    topP: numberOption(values['top-p'], 'top-p', samplingLimits.topP),
    topK: numberOption(values['top-k'], 'top-k', samplingLimits.topK),
  };
  if (!values.greedy) {
    return {
      temperature: given.temperature ?? livelySampling.temperature,
      topP: given.topP ?? livelySampling.topP,
      topK: given.topK ?? livelySampling.topK,
    };
  }
  const other = samplingOptions.find((name) => values[name] !== undefined);
  if (other !== undefined) throw new UsageError(`--greedy goes without --${other}`);
  return greedySampling;
}

export const chatCommand = command({
  usage:
    'textbind chat --model NAME|DIR --conversation IN.json --out DIR [--greedy | --temperature X --top-p X --top-k N] [--seed N] [--max-tokens N] [--steps N] [--no-draw | --from-last X] [--json]',
  texts: [
    ...(['model', 'conversation', 'out', 'seed', 'max-tokens', 'steps', 'from-last'] as const),
    ...samplingOptions,
  ],
  flags: ['greedy', 'no-draw'],
  async run({ values, output }) {
    const file = required(values.conversation, 'conversation');
    const out = path.resolve(required(values.out, 'out'));
    const seed = numberOption(values.seed, 'seed', drawingLimits.seed) ?? null;
    const { 'max-tokens': tokens } = values;
    const maxNewTokens = numberOption(tokens, 'max-tokens', samplingLimits.maxNewTokens);
    const steps = numberOption(values.steps, 'steps', drawingLimits.steps);
    const startStrength = numberOption(values['from-last'], 'from-last', strengthLimits) ?? null;
    const sampling = readSampling(values);
    const conversation = readConversation(file);
    const folder = path.resolve(path.dirname(file), conversation.image_dir);
    const turns = conversation.conversation.map((turn) => toPromptTurn(turn, folder));
    const model = await openModelOption(required(values.model, 'model'), output);
    const reply = new WrittenReply(output);
    const { finish, usage } = await model.reply(
      {
        turns,
        sampling: {
          ...sampling,
          seed,
          maxNewTokens: maxNewTokens ?? 256,
        },
        drawing: {
          steps: steps ?? 40,
          guidance: null,
          negative: '',
          seed,
          enabled: !values['no-draw'],
          ...(startStrength === null ? {} : { startStrength }),
        },
      },
      (event) => reply.take(event),
      new AbortController().signal,
    );
    output.text('\n');
    await mkdir(out, { recursive: true });
    const kept = await keepPictures(conversation, folder, out);
    const turn = await reply.write(out, kept.taken);
    const written: TextbindConversation = {
      conversation: [...kept.conversation, turn],
      image_dir: '.',
    };
    const target = path.join(out, 'conversation.json');
    await writeWholeFile(target, `${JSON.stringify(written, null, 2)}\n`);
    const result = { conversation: target, finish, usage, notices: reply.notices, reply: turn };
    output.result(result, () => {
      for (const notice of reply.notices) output.line(`(${notice.message})`);
      output.line(`${target} (${usage.replyTokens} tokens, ${usage.pictures} pictures)`);
    });
    await model.release();
  },
});

/** The conversation's own pictures, copied into the output folder so that it can be read on its own. */
async function keepPictures(conversation: TextbindConversation, folder: string, out: string) {
  const taken = new Map<string, string>();
  const place = async (name: string): Promise<string> => {
    const source = path.resolve(folder, name);
    const known = [...taken].find(([, from]) => from === source);
    if (known !== undefined) return known[0];
    const free = freeName(path.basename(name), new Set(taken.keys()));
    taken.set(free, source);
    const target = path.join(out, free);
    if (target !== source) await copyFile(source, target);
    return free;
  };
  const turns: TextbindTurn[] = [];
  for (const turn of conversation.conversation) {
    const images: string[] = [];
    for (const name of turn.image_list) images.push(await place(name));
    turns.push({ ...turn, image_list: images });
  }
  return { conversation: turns, taken: new Set(taken.keys()) };
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  const { name: stem, ext } = path.parse(name);
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${stem}-${count}${ext}`;
  return free;
}

/** A reply as the app would keep it, and what of it is printed while it is written. */
export class WrittenReply {
  readonly #output: Output;
  /** Bytes of the drawn pictures, by the pictures' ids. */
  readonly #drawn = new Map<string, Uint8Array>();
  #reply: Reply = emptyTurn({ id: randomUUID(), role: 'assistant', createdAt: Date.now() });

  constructor(output: Output) {
    this.#output = output;
  }

  get notices(): readonly Notice[] {
    return this.#reply.notices;
  }

  take(event: WorkerReplyEvent): void {
    this.#print(event);
    this.#reply = applyReplyEvent(
      this.#reply,
      event.kind === 'picture' ? { kind: 'picture', picture: this.#keep(event) } : event,
    );
  }

  #keep({ png, width, height, caption, recipe }: DrawnPicture): Picture {
    const id = randomUUID();
    this.#drawn.set(id, png);
    const hash = createHash('sha256').update(png).digest('hex');
    const file = { hash, mediaType: 'image/png', width, height, bytes: png.length } as const;
    return { id, ...file, origin: 'drawn', caption, recipe };
  }

  #print(event: WorkerReplyEvent): void {
    switch (event.kind) {
      case 'text':
        return this.#output.text(event.text);
      case 'picture':
        this.#output.progress('');
        return this.#output.text(`[${event.caption}]`);
      case 'drawing-step':
        return this.#output.progress(`drawing: step ${event.step} of ${event.steps}`);
      case 'drawing-failed':
        return this.#output.text(wordsOf(event.caption));
      default:
        return;
    }
  }

  /** Writes the drawn pictures and gives the turn that names them. */
  async write(out: string, taken: ReadonlySet<string>): Promise<TextbindTurn> {
    const { parts } = storedTurn(this.#reply);
    const names = new Set(taken);
    const turn: TextbindTurn = { role: 'assistant', content: '', image_list: [], caption_list: [] };
    for (const part of parts) {
      turn.content += contentOf(part);
      if (part.kind !== 'picture') continue;
      const name = freeName(`drawn-${turn.image_list.length + 1}.png`, names);
      names.add(name);
      turn.image_list.push(name);
      turn.caption_list.push(part.picture.caption ?? '');
      await writeWholeFile(
        path.join(out, name),
        known(this.#drawn.get(part.picture.id), 'a drawing'),
      );
    }
    return turn;
  }
}

function contentOf(part: MessagePart): string {
  if (part.kind === 'text') return part.text;
  return part.kind === 'picture' ? imageTag : wordsOf(part.caption);
}

/** The words that stand in the model's own context for a picture that is not there. */
function wordsOf(caption: string): string {
  return `(${caption})`;
}
