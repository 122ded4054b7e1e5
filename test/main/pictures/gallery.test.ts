import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Gallery } from '../../../src/main/pictures/gallery.ts';
import { samplePicture } from '../../support/samples.ts';
import { openTestStorage } from '../support/storage.ts';
import { makeTurn, text } from '../support/turns.ts';
import type { Picture } from '../../../src/shared/domain/picture.ts';

function open() {
  const { store } = openTestStorage();
  const gallery = new Gallery(store.gallery);
  let count = 0;
  const conversation = (title: string): string => {
    const id = randomUUID();
    store.conversations.create(id, title, 1);
    return id;
  };
  /** A picture in a turn of its own at the end of a conversation. */
  const add = (
    conversationId: string,
    change: Partial<Picture> = {},
  ): { picture: Picture; turnId: string } => {
    count += 1;
    const picture = { ...samplePicture(count, change), id: randomUUID() };
    store.pictures.insert(picture, count);
    const turn = makeTurn('assistant', [text('Here: '), { kind: 'picture', picture }]);
    store.turns.append(conversationId, turn);
    return { picture, turnId: turn.id };
  };
  const shown = (filter: Parameters<Gallery['open']>[0] = 'all', typed = ''): (string | null)[] => {
    const { listId, total } = gallery.open(filter, typed);
    const items = gallery.page(listId, 0, 200);
    expect(items).toHaveLength(Math.min(total, 200));
    return items.map((item) => item?.picture.caption ?? null);
  };
  return { store, gallery, conversation, add, shown };
}

describe('the gallery', () => {
  test('shows the pictures of all conversations, the last first, with where they stand', () => {
    const { gallery, conversation, add, shown } = open();
    const [fruit, birds] = [conversation('Fruit'), conversation('Birds')];
    add(fruit, { caption: 'an apple' });
    add(birds, { caption: 'a swan' });
    add(fruit, { caption: 'a pear' });
    expect(shown()).toEqual(['a pear', 'a swan', 'an apple']);
    const { listId } = gallery.open('all', '');
    expect(gallery.page(listId, 1, 1)).toMatchObject([
      { picture: { caption: 'a swan' }, conversation: { id: birds, title: 'Birds' } },
    ]);
  });

  test('filters, and finds words of captions, descriptions and file names in any script and case', () => {
    const { store, conversation, add, shown } = open();
    const id = conversation('x');
    add(id, { caption: 'Ein roter Äpfel-Baum' });
    add(id, { caption: '一只红色的苹果', favourite: true });
    const own = add(id, { caption: null, origin: 'user', recipe: null, name: '100%_holiday.jpg' });
    expect(shown('drawn')).toEqual(['一只红色的苹果', 'Ein roter Äpfel-Baum']);
    expect(shown('added')).toEqual([null]);
    expect(shown('favourites')).toEqual(['一只红色的苹果']);
    expect(shown('all', 'äpfel')).toEqual(['Ein roter Äpfel-Baum']);
    expect(shown('all', 'ROTER baum')).toEqual(['Ein roter Äpfel-Baum']);
    expect(shown('all', '红色')).toEqual(['一只红色的苹果']);
    expect(shown('all', '0%_h')).toHaveLength(1);
    // Signs of the query language are only signs.
    expect(shown('all', '%')).toHaveLength(1);
    expect(shown('all', "' OR 1=1 --")).toEqual([]);
    store.pictures.change(own.picture.id, { alt: 'the sea at dusk' });
    expect(shown('added', 'dusk')).toHaveLength(1);
    expect(shown('drawn', 'dusk')).toEqual([]);
  });

  test('shows nothing that was deleted, and again what came back', () => {
    const { store, conversation, add, shown } = open();
    const [kept, trashed] = [conversation('Kept'), conversation('Trashed')];
    add(kept, { caption: 'kept' });
    const { turnId } = add(kept, { caption: 'deleted' });
    add(trashed, { caption: 'trashed' });
    store.pictures.insert({ ...samplePicture(99), id: randomUUID() }, 99);
    const deletion = { id: randomUUID(), at: 1 };
    store.versions.removeExchange(turnId, deletion);
    store.conversations.remove(trashed, 5);
    expect(shown()).toEqual(['kept']);
    store.versions.restore(deletion.id);
    store.conversations.restore(trashed);
    expect(shown()).toEqual(['trashed', 'deleted', 'kept']);
  });

  test('stands still while it is looked through', () => {
    const { store, gallery, conversation, add } = open();
    const [one, two] = [conversation('One'), conversation('Two')];
    add(one, { caption: 'a' });
    add(two, { caption: 'b' });
    const { listId } = gallery.open('all', '');
    add(one, { caption: 'new' });
    store.conversations.remove(two, 5);
    const captions = gallery.page(listId, 0, 9).map((item) => item?.picture.caption ?? null);
    expect(captions).toEqual([null, 'a']);
    for (let count = 0; count < 4; count += 1) gallery.open('all', '');
    expect(() => gallery.page(listId, 0, 9)).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
  });

  test('knows the place of a picture, of a version that is not shown too', () => {
    const { store, gallery, conversation, add } = open();
    const id = conversation('x');
    const first = add(id);
    const place = { conversationId: id, turnId: first.turnId, partIndex: 1 };
    expect(gallery.place(first.picture.id)).toEqual({ ...place, isOnPath: true, drawing: null });
    const newer = { ...samplePicture(7), id: randomUUID() };
    store.pictures.insert(newer, 7);
    store.versions.addDrawing(first.turnId, 1, { kind: 'picture', picture: newer });
    expect(gallery.place(first.picture.id)).toEqual({ ...place, isOnPath: true, drawing: 0 });
    expect(gallery.place(newer.id)).toEqual({ ...place, isOnPath: true, drawing: null });
    const beside = makeTurn('assistant', [text('Another version')]);
    store.turns.append(id, beside, { beside: first.turnId, current: true });
    expect(gallery.place(newer.id)).toMatchObject({ turnId: first.turnId, isOnPath: false });
    expect(() => gallery.place(randomUUID())).toThrow(
      expect.objectContaining({ kind: 'not-found' }),
    );
  });
});
