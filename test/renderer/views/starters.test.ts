import { describe, expect, it } from 'vitest';
import { chooseStarters, fileOf } from '../../../src/renderer/views/chat/starters.ts';

describe('starters', () => {
  it('differ from one look to the next, over everything that there is', () => {
    const first = chooseStarters(() => 0);
    const last = chooseStarters(() => 0.999);
    for (const part of ['drawing', 'scene', 'words'] as const)
      expect(first[part]).not.toBe(last[part]);
    expect(first.sample.name).not.toBe(last.sample.name);
    expect(first.scene).toBe('Draw a cat on a blue background.');
  });

  it('have a sample picture that is a whole JPEG file', async () => {
    const file = fileOf(chooseStarters(() => 0).sample);
    const bytes = new Uint8Array(await file.arrayBuffer());
    expect([...bytes.slice(0, 2)]).toEqual([0xff, 0xd8]);
    expect([...bytes.slice(-2)]).toEqual([0xff, 0xd9]);
  });
});
