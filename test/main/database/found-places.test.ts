import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openTestStorage } from '../support/storage.ts';
import { makePicture, makeTurn, text } from '../support/turns.ts';

function conversation() {
  const { store } = openTestStorage();
  const id = randomUUID();
  store.conversations.create(id, 'A walk by the harbour', 1);
  const asked = makeTurn('user', [text('Tell me of the lighthouse')]);
  const told = makeTurn('assistant', [text('It stands on a rock.')]);
  store.turns.append(id, asked);
  store.turns.append(id, told);
  return { store, id, asked, told };
}

describe('the place in a conversation that a search found', () => {
  test('is the newest that is shown', () => {
    const { store, id, asked, told } = conversation();
    const again = makeTurn('user', [text('And what of the rock?')]);
    store.turns.append(id, again);
    const at = (turnId: string) => ({ turnId, partIndex: 0, isOnPath: true, drawing: null });
    expect(store.conversations.findPlace(id, 'lighthouse')).toEqual(at(asked.id));
    expect(store.conversations.findPlace(id, 'rock')).toEqual(at(again.id));
    expect(store.conversations.findPlace(id, 'stands rock')).toEqual(at(told.id));
  });

  test('is none where only the title has the words, or nothing has them', () => {
    const { store, id } = conversation();
    expect(store.conversations.findPlace(id, 'harbour')).toBeNull();
    expect(store.conversations.findPlace(id, 'submarine')).toBeNull();
    expect(store.conversations.findPlace(id, '"*')).toBeNull();
    expect(store.conversations.findPlace(randomUUID(), 'rock')).toBeNull();
  });

  test('lies in another version only where no shown turn has it', () => {
    const { store, id, asked, told } = conversation();
    const other = makeTurn('assistant', [text('It stands on sand, by the mill.')]);
    store.turns.append(id, other, { beside: told.id, current: true });
    expect(store.conversations.findPlace(id, 'stands')).toMatchObject({ turnId: other.id });
    expect(store.conversations.findPlace(id, 'rock')).toEqual({
      turnId: told.id,
      partIndex: 0,
      isOnPath: false,
      drawing: null,
    });
    expect(store.conversations.findPlace(id, 'lighthouse')?.turnId).toBe(asked.id);
  });

  test('says which drawing it is where another one is shown', () => {
    const { store, id } = conversation();
    const captions = ['a tower at dusk', 'a tower at dawn', 'a mill'];
    const [first, ...others] = captions.map((caption) => makePicture({ caption }));
    for (const picture of [first!, ...others]) store.pictures.insert(picture, 1);
    const drawn = makeTurn('assistant', [text('Here:'), { kind: 'picture', picture: first! }]);
    store.turns.append(id, drawn);
    for (const picture of others) {
      store.versions.addDrawing(drawn.id, 1, { kind: 'picture', picture });
    }
    const at = (drawing: number | null) => ({
      turnId: drawn.id,
      partIndex: 1,
      isOnPath: true,
      drawing,
    });
    expect(store.conversations.findPlace(id, 'mill')).toEqual(at(null));
    expect(store.conversations.findPlace(id, 'dusk')).toEqual(at(0));
    expect(store.conversations.findPlace(id, 'dawn')).toEqual(at(1));
  });
});
