import { describe, expect, it, vi } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import {
  DraftsStore,
  faultOf,
  type DraftStorage,
} from '../../../src/renderer/state/drafts.svelte.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { samplePicture } from '../../support/samples.ts';
import { deferred, stubBridge } from '../helpers/stub-bridge.ts';

function memory(): DraftStorage & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    key: (index) => [...kept.keys()][index] ?? null,
    get length() {
      return kept.size;
    },
  };
}

const png = (name = 'apple.png'): File =>
  new File([new Uint8Array([1])], name, { type: 'image/png' });
const stored = () => samplePicture(7, { origin: 'user', caption: null, recipe: null });

describe('DraftsStore', () => {
  it('keeps a draft over a restart, pictures included once they are stored', async () => {
    const storage = memory();
    const answer = deferred<ReturnType<typeof stored>>();
    const api = createApi(stubBridge({ 'pictures.add': () => answer.promise }));
    const drafts = new DraftsStore(api, storage);
    const uploadId = drafts.add(png());
    drafts.set('c', [
      { kind: 'text', text: 'Look: ' },
      { kind: 'picture', uploadId },
    ]);
    expect(drafts.uploads.get(uploadId)?.state).toBe('storing');
    // Before the picture is stored, a restart cannot bring it back; the words it can.
    expect(new DraftsStore(api, storage).get('c')).toEqual([{ kind: 'text', text: 'Look: ' }]);
    answer.resolve(stored());
    await vi.waitFor(() => expect(drafts.uploads.get(uploadId)?.state).toBe('stored'));
    const later = new DraftsStore(api, storage);
    expect(later.get('c')).toEqual(drafts.get('c'));
    expect(later.uploads.get(uploadId)).toMatchObject({ state: 'stored', picture: stored() });
  });

  it('forgets the drafts of conversations that are gone for good, and no other', async () => {
    const [gone, other, open] = ['1', '2', '3'].map(
      (digit) => `00000000-0000-4000-8000-00000000000${digit}`,
    ) as [string, string, string];
    const storage = memory();
    storage.setItem('something-else', 'kept');
    const known = vi.fn(() => ({ conversationIds: [open] }));
    const bridge = stubBridge({ 'conversations.known': known });
    const drafts = new DraftsStore(createApi(bridge), storage);
    for (const key of [gone, other, open, 'new']) drafts.set(key, [{ kind: 'text', text: key }]);
    bridge.emit('conversations.erased', { conversationIds: [gone] });
    expect(drafts.get(gone)).toEqual([]);
    await drafts.prune();
    expect(known).toHaveBeenCalledWith({ conversationIds: [other, open] });
    expect([...storage.kept.keys()]).toEqual([
      'something-else',
      `textbind-draft:${open}`,
      'textbind-draft:new',
    ]);
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

  it('forgets a cleared draft and survives what it did not write', () => {
    const storage = memory();
    const drafts = new DraftsStore(createApi(stubBridge({})), storage);
    drafts.set('c', [{ kind: 'text', text: 'x' }]);
    drafts.clear('c');
    expect(storage.kept.size).toBe(0);
    storage.kept.set('textbind-draft:d', '{"items": 5');
    expect(drafts.get('d')).toEqual([]);
  });

  it('goes on in memory when the storage is full', () => {
    const storage = memory();
    storage.setItem = () => {
      throw new Error('QuotaExceededError');
    };
    const drafts = new DraftsStore(createApi(stubBridge({})), storage);
    drafts.set('c', [{ kind: 'text', text: 'x' }]);
    expect(drafts.get('c')).toEqual([{ kind: 'text', text: 'x' }]);
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
