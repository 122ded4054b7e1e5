import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pictureMark, readMarks } from '../../src/server/picture-marks.ts';
import { pictureHash, readPictureUrl, RememberedDrawings } from '../../src/server/pictures.ts';
import { StopWords } from '../../src/server/stop-words.ts';

const hash = 'ab'.repeat(32);

describe('marks of pictures', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60 }),
        fc.string(),
        fc.string(),
        (caption, before, after) => {
          const pieces = readMarks(before + pictureMark(caption, hash) + after);
          const picture = pieces.filter((piece) => piece.kind === 'picture').at(-1);
          expect(picture).toEqual({
            kind: 'picture',
            caption: caption.replaceAll(/\s+/g, ' '),
            hash,
          });
          const words = pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('');
          expect(words).toBe(before + after);
        },
      ),
    );
  });

  it('takes nothing else for one', () => {
    for (const words of ['![a](b)', `![a](textbind-picture:${hash.slice(1)})`, '![', '']) {
      expect(readMarks(words)).toEqual(words === '' ? [] : [{ kind: 'text', text: words }]);
    }
  });
});

describe('stop words', () => {
  it('end the text, however it comes in pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ab]{0,5}$/), { maxLength: 12 }),
        fc.array(fc.stringMatching(/^[ab]{1,4}$/), { minLength: 1, maxLength: 3 }),
        (pieces, stops) => {
          const words = new StopWords(stops);
          let said = '';
          let stopped = false;
          for (const piece of pieces) {
            const { say, stops: ends } = words.push(piece);
            said += say;
            stopped = ends;
            if (ends) break;
          }
          if (!stopped) said += words.flush();
          const text = pieces.join('');
          const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
          expect(stopped).toBe(ends.length > 0);
          if (!stopped) expect(said).toBe(text);
          else {
            expect(text.startsWith(said)).toBe(true);
            expect(stops.some((stop) => said.includes(stop))).toBe(false);
            expect(stops.some((stop) => text.slice(said.length).startsWith(stop))).toBe(true);
          }
        },
      ),
    );
  });
});

describe('addresses of pictures', () => {
  it('hold the picture themselves, or are refused', () => {
    const bytes = Buffer.from('picture');
    const read = readPictureUrl(`data:image/png;base64,${bytes.toString('base64')}`, 'x');
    expect(Buffer.from(read)).toEqual(bytes);
    for (const url of [
      'http://127.0.0.1/x.png',
      'data:text/html;base64,AAAA',
      'data:image/png,raw',
      'data:image/png;base64,',
      '',
    ]) {
      expect(() => readPictureUrl(url, 'x')).toThrow(
        expect.objectContaining({ status: 400, param: 'x' }),
      );
    }
  });
});

describe('drawings that are remembered', () => {
  it('are the latest that fit', () => {
    const remembered = new RememberedDrawings();
    const drawings = [1, 2, 3].map((fill) => new Uint8Array(30 * 1024 * 1024).fill(fill));
    const hashes = drawings.map((bytes) => pictureHash(bytes));
    for (const [index, bytes] of drawings.entries()) remembered.add(hashes[index]!, bytes);
    expect(hashes.map((each) => remembered.find(each) !== null)).toEqual([false, true, true]);
  });
});
