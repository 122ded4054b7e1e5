import { describe, expect, it, vi } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import { DraftsStore, faultOf, type OldDrafts } from '../../../src/renderer/state/drafts.svelte.ts';
import type { KeptDraft } from '../../../src/shared/domain/draft.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { samplePicture } from '../../support/samples.ts';
import { deferred, stubBridge } from '../helpers/stub-bridge.ts';

/** What main keeps, and a bridge to it. */
function keeper() {
  const kept = new Map<string, KeptDraft>();
  const answers = {
    'drafts.list': () => ({ drafts: [...kept].map(([key, draft]) => ({ key, draft })) }),
    'drafts.keep': ({ key, draft }: { key: string; draft: KeptDraft | null }) => {
      if (draft === null) kept.delete(key);
      else kept.set(key, draft);
      return null;
    },
    'drafts.moved': () => null,
  };
  return { kept, answers };
}

/** The window's own store, as versions before had it. */
function oldDrafts(entries: Readonly<Record<string, string>>): OldDrafts & {
  readonly kept: Map<string, string>;
} {
  const kept = new Map(Object.entries(entries));
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    removeItem: (key) => void kept.delete(key),
    key: (index) => [...kept.keys()][index] ?? null,
    get length() {
      return kept.size;
    },
  };
}

const conversation = '00000000-0000-4000-8000-000000000001';
const words = (text: string) => [{ kind: 'text' as const, text }];
const png = (name = 'apple.png'): File =>
  new File([new Uint8Array([1])], name, { type: 'image/png' });
const stored = () => samplePicture(7, { origin: 'user', caption: null, recipe: null });

describe('DraftsStore', () => {
  it('keeps a draft over a restart, pictures included once they are stored', async () => {
    const { kept, answers } = keeper();
    const answer = deferred<ReturnType<typeof stored>>();
    const api = createApi(stubBridge({ ...answers, 'pictures.add': () => answer.promise }));
    const drafts = new DraftsStore(api, null);
    const later = async (): Promise<DraftsStore> => {
      drafts.flush();
      const store = new DraftsStore(api, null);
      await store.load();
      return store;
    };
    const uploadId = drafts.add(png());
    drafts.set(conversation, [
      { kind: 'text', text: 'Look: ' },
      { kind: 'picture', uploadId },
    ]);
    expect(drafts.uploads.get(uploadId)?.state).toBe('storing');
    // Before the picture is stored, a restart cannot bring it back; the words it can.
    expect((await later()).get(conversation)).toEqual(words('Look: '));
    answer.resolve(stored());
    await vi.waitFor(() => expect(drafts.uploads.get(uploadId)?.state).toBe('stored'));
    const restarted = await later();
    expect(restarted.get(conversation)).toEqual(drafts.get(conversation));
    expect(restarted.uploads.get(uploadId)).toMatchObject({ state: 'stored', picture: stored() });
    drafts.clear(conversation);
    expect(kept.size).toBe(0);
  });

  it('hands letters over a moment after the last, and what is cleared at once', async () => {
    const { kept, answers } = keeper();
    const bridge = stubBridge(answers);
    const drafts = new DraftsStore(createApi(bridge), null);
    for (const text of ['a', 'ap', 'apple']) drafts.set('new', words(text));
    expect(bridge.asked).toEqual([]);
    await vi.waitFor(() => expect(kept.get('new')?.items).toEqual(words('apple')));
    expect(bridge.asked).toHaveLength(1);
    drafts.set('new', words('pear'));
    globalThis.dispatchEvent(new Event('pagehide'));
    await vi.waitFor(() => expect(kept.get('new')?.items).toEqual(words('pear')));
  });

  it('does not put what main kept over what was begun meanwhile', async () => {
    const { kept, answers } = keeper();
    kept.set('new', { items: words('old'), pictures: {} });
    const drafts = new DraftsStore(createApi(stubBridge(answers)), null);
    drafts.set('new', words('newer'));
    await drafts.load();
    expect(drafts.get('new')).toEqual(words('newer'));
  });

  it('hands over what versions before kept in the window, once, and leaves nothing there', async () => {
    const { kept, answers } = keeper();
    const moved = vi.fn(() => null);
    const entry = (text: string): string => JSON.stringify({ items: words(text), pictures: {} });
    const old = oldDrafts({
      'something-else': 'kept',
      [`textbind-draft:${conversation}`]: entry('from before'),
      'textbind-draft:new': entry('older'),
      'textbind-draft:broken': '{"items": 5',
    });
    kept.set('new', { items: words('newer'), pictures: {} });
    const bridge = stubBridge({ ...answers, 'drafts.moved': moved });
    const drafts = new DraftsStore(createApi(bridge), old);
    await drafts.load();
    expect([...old.kept.keys()]).toEqual(['something-else']);
    expect(drafts.get(conversation)).toEqual(words('from before'));
    expect(kept.get(conversation)?.items).toEqual(words('from before'));
    expect(drafts.get('new')).toEqual(words('newer'));
    expect(moved).toHaveBeenCalledOnce();
  });

  it('forgets the drafts of conversations that are gone for good', () => {
    const bridge = stubBridge(keeper().answers);
    const drafts = new DraftsStore(createApi(bridge), null);
    drafts.set(conversation, words('x'));
    bridge.emit('conversations.erased', { conversationIds: [conversation] });
    expect(drafts.get(conversation)).toEqual([]);
    drafts.flush();
    expect(bridge.asked).toEqual([]);
  });

  it('says in place what is not a picture, and never sends it', async () => {
    const bridge = stubBridge({});
    const drafts = new DraftsStore(createApi(bridge), null);
    const uploadId = drafts.add(new File(['hello'], 'notes.txt', { type: 'text/plain' }));
    expect(drafts.uploads.get(uploadId)).toMatchObject({ state: 'failed' });
    expect(bridge.asked).toEqual([]);
    expect(drafts.stateOf([{ kind: 'picture', uploadId }])).toBe('failed');
  });

  it("shows main's reason when main refuses a picture", async () => {
    const api = createApi(
      stubBridge({
        'pictures.add': () => {
          throw new StudioError('bad-input', '“apple.png” is damaged.');
        },
      }),
    );
    const drafts = new DraftsStore(api, null);
    const uploadId = drafts.add(png());
    await vi.waitFor(() =>
      expect(drafts.uploads.get(uploadId)).toMatchObject({
        state: 'failed',
        message: '“apple.png” is damaged.',
      }),
    );
  });

  it('goes on in memory where main refuses', async () => {
    const refuse = () => {
      throw new StudioError('storage', 'The disk is full.');
    };
    const drafts = new DraftsStore(
      createApi(stubBridge({ 'drafts.keep': refuse, 'drafts.list': refuse })),
      null,
    );
    await drafts.load();
    drafts.set('new', words('x'));
    drafts.flush();
    expect(drafts.get('new')).toEqual(words('x'));
  });
});

describe('faultOf', () => {
  it('names the file and the limit', () => {
    const file = { name: 'big.png', size: 70 * 1024 * 1024, type: 'image/png' };
    expect(faultOf(file)).toBe('“big.png” has 70 MB; pictures may have up to 64 MB.');
    expect(faultOf({ ...file, size: 0 })).toBe('“big.png” is empty.');
    expect(faultOf({ ...file, size: 10 })).toBeNull();
    // Some systems give no type: main decodes it and has the last word.
    expect(faultOf({ ...file, size: 10, type: '' })).toBeNull();
  });
});
