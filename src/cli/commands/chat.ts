import { createHash, randomUUID } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeWholeFile } from '../../base/whole-file.ts';
import type { DrawnPicture, WorkerReplyEvent } from '../../shared/contracts/reply-event.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import { applyReplyEvent, storedTurn, type Reply } from '../../shared/domain/reply.ts';
import { emptyTurn, type MessagePart, type Notice } from '../../shared/domain/turn.ts';
import {
  imageTag,
  type TextbindConversation,
  type TextbindTurn,
} from '../../shared/domain/textbind-conversation.ts';
import { readConversation, toPromptTurn } from '../conversation-file.ts';
import { openModelOption } from '../model-option.ts';
import { createOutput, numberOption, required, seedLimits, type Output } from '../usage.ts';

/** Without --greedy, replies vary: the usual mild settings. */
const livelySampling = { temperature: 0.7, topK: 0, topP: 0.9 } as const;
const greedySampling = { temperature: 0, topK: 0, topP: 1 } as const;

export const chatCommand = {
  usage:
    'textbind chat --model NAME|DIR --conversation IN.json --out DIR [--greedy] [--seed N] [--max-tokens N] [--steps N] [--no-draw] [--json]',
  async run(args: readonly string[]): Promise<void> {
    const { values } = parseArgs({
      args: [...args],
      options: {
        model: { type: 'string' },
        conversation: { type: 'string' },
        out: { type: 'string' },
        greedy: { type: 'boolean', default: false },
        seed: { type: 'string' },
        'max-tokens': { type: 'string' },
        steps: { type: 'string' },
        'no-draw': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const output = createOutput(values.json);
    const file = required(values.conversation, 'conversation');
    const out = path.resolve(required(values.out, 'out'));
    const seed = numberOption(values.seed, 'seed', seedLimits) ?? null;
    const maxNewTokens = numberOption(values['max-tokens'], 'max-tokens', { min: 1, max: 4096 });
    const steps = numberOption(values.steps, 'steps', { min: 1, max: 150 });
    const conversation = readConversation(file);
    const folder = path.resolve(path.dirname(file), conversation.image_dir);
    const turns = conversation.conversation.map((turn) => toPromptTurn(turn, folder));
    const model = await openModelOption(required(values.model, 'model'), output);
    const reply = new WrittenReply(output);
    const { finish, usage } = await model.reply(
      {
        turns,
        sampling: {
          ...(values.greedy ? greedySampling : livelySampling),
          seed,
          maxNewTokens: maxNewTokens ?? 256,
        },
        drawing: {
          steps: steps ?? 40,
          guidance: null,
          negative: '',
          seed,
          enabled: !values['no-draw'],
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
};

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
      await writeWholeFile(path.join(out, name), this.#drawn.get(part.picture.id)!);
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
