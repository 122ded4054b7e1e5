import { describe, expect, it } from 'vitest';
import { appEvents, appRequests } from '../../src/shared/contracts/app-ipc.ts';
import { workerRequests } from '../../src/shared/contracts/worker-protocol.ts';
import { modelManifestSchema } from '../../src/shared/domain/model-manifest.ts';
import { settingsPatchSchema, settingsSchema } from '../../src/shared/domain/settings.ts';
import { textbindConversationSchema } from '../../src/shared/domain/textbind-conversation.ts';

const qformerConfig = {
  numQueryTokens: 32,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  hiddenSize: 768,
  intermediateSize: 3072,
};
const manifest = {
  name: 'A model',
  licence: 'research',
  visionModel: 'vision',
  qformer: 'qformer/model.safetensors',
  languageModel: 'language',
  processor: 'vision',
  imageDecoder: { base: 'image-decoder' },
  qformerConfig,
  maxSequenceLength: 768,
};

describe('textbind.json', () => {
  it('is read with the refiner left out, and without any image decoder', () => {
    expect(modelManifestSchema.parse(manifest).imageDecoder).toEqual({
      base: 'image-decoder',
      refiner: null,
      guidance: 5,
    });
    expect(modelManifestSchema.parse({ ...manifest, imageDecoder: null }).imageDecoder).toBeNull();
  });

  it('needs a Q-Former or a checkpoint, and whole positive sizes', () => {
    const { qformer, ...bare } = manifest;
    expect(qformer).toBeDefined();
    expect(() => modelManifestSchema.parse(bare)).toThrow(/qformer.*checkpoint/);
    expect(() =>
      modelManifestSchema.parse({
        ...manifest,
        qformerConfig: { ...qformerConfig, hiddenSize: 7.5 },
      }),
    ).toThrow();
  });
});

describe('a TextBind conversation', () => {
  it('says both counts when tags and files differ', () => {
    const faulty = {
      conversation: [{ role: 'user', content: '<image> and <image>', image_list: ['a.png'] }],
    };
    expect(() => textbindConversationSchema.parse(faulty)).toThrow(
      /2 <image> tags but image_list has 1/,
    );
  });

  it('fills the lists of a turn without pictures', () => {
    const read = textbindConversationSchema.parse({
      conversation: [{ role: 'user', content: 'Hello' }],
    });
    expect(read.conversation[0]).toMatchObject({ image_list: [], caption_list: [] });
  });
});

describe('settings', () => {
  it('start from nothing with the defaults of the paper', () => {
    const settings = settingsSchema.parse({});
    expect(settings.drawing).toMatchObject({ steps: 40, guidance: null });
    expect(settings.sampling).toMatchObject({ temperature: 0, maxNewTokens: 256 });
  });

  it('a patch keeps what it leaves out: no defaults appear', () => {
    expect(settingsPatchSchema.parse({ theme: 'dark' })).toEqual({ theme: 'dark' });
  });
});

describe('the contracts', () => {
  it('refuse what is not theirs', () => {
    expect(() =>
      appRequests['chat.send'].request.parse({ conversationId: null, parts: [] }),
    ).toThrow();
    expect(() =>
      appRequests['pictures.add'].request.parse({ bytes: 'base64', name: 'x' }),
    ).toThrow();
    const event = { kind: 'text', text: 'x' };
    const turnId = '00000000-0000-4000-8000-000000000000';
    expect(appEvents['chat.reply'].safeParse({ turnId, sequence: 1, event }).success).toBe(true);
    expect(appEvents['chat.reply'].safeParse({ turnId, event }).success).toBe(false);
    expect(() => workerRequests['draw'].request.parse({ caption: '' })).toThrow();
  });
});
