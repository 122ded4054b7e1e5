import { describe, expect, it } from 'vitest';
import type { Upload } from '../../../src/renderer/state/drafts.svelte.ts';
import {
  documentOf,
  isEmpty,
  itemsOf,
  maxTextCharacters,
  partsOf,
  whyTooMuch,
} from '../../../src/renderer/views/chat/composer-document.ts';
import { id, samplePicture } from '../../support/samples.ts';

const uploads = new Map<string, Upload>([
  ['a', { state: 'stored', name: 'a.png', picture: samplePicture(1) }],
  ['b', { state: 'stored', name: 'b.png', picture: samplePicture(2) }],
  ['late', { state: 'storing', name: 'late.png', url: null }],
  ['bad', { state: 'failed', name: 'bad.txt', message: 'Not a picture.' }],
]);
const text = (words: string) => ({ kind: 'text', text: words }) as const;
const picture = (uploadId: string) => ({ kind: 'picture', uploadId }) as const;

describe('itemsOf and documentOf', () => {
  it.each([
    ['nothing', []],
    ['text', [text('Hello')]],
    ['a picture alone', [picture('a')]],
    [
      'pictures between words',
      [text('Compare '), picture('a'), text(' with '), picture('b'), text('.')],
    ],
    ['lines', [text('one\n\ntwo '), picture('a'), text('\nthree\n')]],
  ])('come back as they were: %s', (_name, items) => {
    expect(itemsOf(documentOf(items))).toEqual(items);
  });

  it('joins paragraphs by line breaks', () => {
    const paragraph = (words: string) => ({
      type: 'paragraph',
      content: [{ type: 'text', text: words }],
    });
    const document = {
      type: 'doc',
      content: [paragraph('one'), { type: 'paragraph' }, paragraph('two')],
    };
    expect(itemsOf(document)).toEqual([text('one\n\ntwo')]);
  });
});

describe('partsOf', () => {
  it('keeps document order and the space between', () => {
    const items = [picture('b'), text(' is after '), picture('a'), text(', is it?')];
    expect(partsOf(items, uploads)).toEqual([
      { kind: 'picture', pictureId: id(2) },
      { kind: 'text', text: ' is after ' },
      { kind: 'picture', pictureId: id(1) },
      { kind: 'text', text: ', is it?' },
    ]);
  });

  it('drops the outer space and what is only space', () => {
    const items = [text('\n '), picture('a'), text('  '), picture('b'), text(' What is this?\n')];
    expect(partsOf(items, uploads)).toEqual([
      { kind: 'picture', pictureId: id(1) },
      { kind: 'picture', pictureId: id(2) },
      { kind: 'text', text: ' What is this?' },
    ]);
  });

  it.each(['late', 'bad', 'unknown'])('sends nothing while a picture is %s', (uploadId) => {
    expect(partsOf([text('x'), picture(uploadId)], uploads)).toBeNull();
  });

  it('sends nothing where there is nothing', () => {
    expect(partsOf([text(' \n')], uploads)).toBeNull();
    expect(isEmpty([text(' \n')])).toBe(true);
    expect(isEmpty([picture('a')])).toBe(false);
  });
});

describe('whyTooMuch', () => {
  it('names the number and the limit', () => {
    expect(whyTooMuch([text('x'.repeat(maxTextCharacters))])).toBeNull();
    expect(whyTooMuch([text('x'.repeat(maxTextCharacters + 1))])).toContain('200001');
    expect(whyTooMuch(Array.from({ length: 201 }, () => picture('a')))).toContain('201');
  });
});
