import type { ConversationSummary } from '../../src/shared/domain/conversation.ts';
import type { Picture } from '../../src/shared/domain/picture.ts';
import { emptyTurn, type MessagePart, type Turn } from '../../src/shared/domain/turn.ts';
import type { Reply } from '../../src/shared/domain/reply.ts';

/** A UUID that says its number. */
export function id(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export function samplePicture(number: number, change: Partial<Picture> = {}): Picture {
  return {
    id: id(number),
    hash: String(number % 10).repeat(64),
    mediaType: 'image/png',
    width: 128,
    height: 128,
    bytes: 1000,
    origin: 'drawn',
    caption: `picture ${number}`,
    recipe: { seed: number, steps: 40, guidance: 5, model: 'TextBind mini' },
    ...change,
  };
}

export function sampleTurn(
  number: number,
  role: Turn['role'],
  parts: MessagePart[],
  change: Partial<Turn> = {},
): Turn {
  return {
    ...emptyTurn({ id: id(number), role, createdAt: 1000 + number }),
    parts,
    status: 'complete',
    model: role === 'assistant' ? 'TextBind mini' : null,
    ...change,
  };
}

export function streamingTurn(number: number, parts: MessagePart[] = []): Reply {
  return sampleTurn(number, 'assistant', parts, { status: 'streaming' });
}

export function sampleSummary(
  number: number,
  change: Partial<ConversationSummary> = {},
): ConversationSummary {
  return {
    id: id(number),
    title: `Conversation ${number}`,
    createdAt: number,
    updatedAt: number,
    turnCount: 0,
    snippet: null,
    pinned: false,
    archived: false,
    tags: [],
    thumbnail: null,
    ...change,
  };
}

/** Sizes of a Q-Former for tests that never run it. */
export const sampleQformer = {
  numQueryTokens: 4,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  hiddenSize: 32,
  intermediateSize: 48,
};

/** A textbind.json of a model that cannot draw. */
export const sampleManifest = {
  name: 'Tiny',
  licence: 'MIT',
  visionModel: 'vision',
  qformer: 'qformer.safetensors',
  languageModel: 'language',
  processor: 'vision',
  imageDecoder: null,
  qformerConfig: sampleQformer,
  maxSequenceLength: 512,
};
