import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../src/shared/errors.ts';
import { createApi } from '../../../src/renderer/api.ts';
import { CaptionsStore } from '../../../src/renderer/state/captions.svelte.ts';
import { ChatStore } from '../../../src/renderer/state/chat.svelte.ts';
import { id, sampleSummary } from '../../support/samples.ts';
import { stubBridge } from '../helpers/stub-bridge.ts';

const place = { turnId: id(10), partIndex: 1 };

describe('CaptionsStore', () => {
  it('keeps the words of each place until they are given up', () => {
    const captions = new CaptionsStore(new ChatStore(createApi(stubBridge({}))));
    expect(captions.edited(place)).toBeNull();
    captions.edit(place, 'a boat');
    expect([captions.takesFocus(place), captions.takesFocus(place)]).toEqual([true, false]);
    captions.keep(place, 'a red boat');
    captions.edit(place, 'a boat');
    expect(captions.edited(place)).toBe('a red boat');
    expect(captions.edited({ ...place, partIndex: 2 })).toBeNull();
    captions.stopEditing(place);
    expect(captions.edited(place)).toBeNull();
  });

  it('forgets words that are being drawn, and none that were refused', async () => {
    let refuses = true;
    const bridge = stubBridge({
      'conversations.open': () => ({
        summary: sampleSummary(1),
        turns: [],
        versions: { turns: [], drawings: [] },
        live: null,
      }),
      'chat.redraw': () => {
        if (refuses) throw new StudioError('busy', 'A reply is being written here.');
        return { conversation: sampleSummary(1), turnId: place.turnId };
      },
    });
    const chat = new ChatStore(createApi(bridge));
    await chat.open(id(1));
    const captions = new CaptionsStore(chat);
    captions.edit(place, 'a red boat');
    await captions.draw(place, 'a red boat');
    expect(captions.edited(place)).toBe('a red boat');
    expect(chat.actionError).toBe('A reply is being written here.');
    refuses = false;
    await captions.draw(place, 'a red boat');
    expect(captions.edited(place)).toBeNull();
  });
});
