import { describe, expect, it } from 'vitest';
import { toPrompt } from '../../../src/main/conversations/prompt.ts';
import { emptyTurn, type MessagePart, type Turn } from '../../../src/shared/domain/turn.ts';

const hash = 'ab'.repeat(32);
const text = (words: string): MessagePart => ({ kind: 'text', text: words });
const picture: MessagePart = {
  kind: 'picture',
  picture: {
    id: '00000000-0000-4000-8000-000000000001',
    hash,
    mediaType: 'image/png',
    width: 8,
    height: 8,
    bytes: 1,
    origin: 'user',
    caption: null,
    recipe: null,
  },
};
const turn = (role: Turn['role'], ...parts: MessagePart[]): Turn => ({
  ...emptyTurn({ id: '00000000-0000-4000-8000-000000000002', role, createdAt: 0 }),
  parts,
  status: 'complete',
});
/** The prompt as one line a turn, a picture as its tag. */
const lines = (...turns: Turn[]): string[] =>
  toPrompt(turns, () => 'file').map(({ parts }) =>
    parts.map((part) => (part.kind === 'text' ? part.text : `<${part.kind}>`)).join(''),
  );

describe('toPrompt', () => {
  it.each([
    [[text('What is this?'), picture], 'What is this? <picture>'],
    [[text('What is this?\n\n'), picture, text('\nAnd why?')], 'What is this? <picture> And why?'],
    [[picture, picture], '<picture><picture>'],
    [[text('  just words\n')], '  just words\n'],
  ])('sets a picture of a person one space from the text: %#', (parts, line) => {
    expect(lines(turn('user', ...parts))).toEqual([line]);
  });

  it('keeps what the model wrote as it was', () => {
    expect(lines(turn('user', text('Hi')), turn('assistant', text('Here:'), picture))[1]).toBe(
      'Here:<picture>',
    );
  });

  it('leaves out a reply that says nothing, and keeps the turns around it', () => {
    const stopped = { ...turn('assistant'), status: 'stopped' as const };
    const turns = [turn('user', text('One')), stopped, turn('user', text('Two'))];
    expect(lines(...turns)).toEqual(['One', 'Two']);
  });

  const error = { kind: 'too-long', message: 'Too long.', detail: null } as const;
  const failed = { ...turn('assistant'), id: 'failed', status: 'failed' as const, error };
  const asked = (id: string): Turn => ({ ...turn('user', text(id)), id });

  it('leaves a message whose reply failed out of every later prompt', () => {
    const died = { ...failed, status: 'interrupted' as const };
    const turns = [asked('long'), failed, asked('deadly'), died, asked('short'), turn('assistant')];
    expect(lines(...turns)).toEqual(['short']);
  });

  it('asks again with the failed message itself when its reply is written anew', () => {
    expect(lines(asked('long'))).toEqual(['long']);
  });

  it('keeps a message whose reply failed in its middle, or was interrupted by the end of the app', () => {
    const halfway = { ...failed, parts: [text('I was')] };
    const closed = { ...failed, status: 'interrupted' as const, error: null };
    const turns = [asked('one'), halfway, asked('two'), closed, asked('three')];
    expect(lines(...turns)).toEqual(['one', 'I was', 'two', 'three']);
  });
});
