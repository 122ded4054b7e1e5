import { describe, expect, it } from 'vitest';
import {
  fromWireError,
  isStudioError,
  StudioError,
  toWireError,
  wireErrorSchema,
} from '../../src/shared/errors.ts';

describe('errors on the wire', () => {
  it('keeps kind and sentence both ways, and the cause as detail', () => {
    const error = new StudioError('storage', 'The disk is full: 0 bytes of 12 MB are free.', {
      cause: new Error('ENOSPC'),
    });
    const wire = structuredClone(toWireError(error));
    expect(wireErrorSchema.parse(wire)).toEqual(wire);
    expect(wire.detail).toContain('ENOSPC');
    const back = fromWireError(wire);
    expect(isStudioError(back, 'storage')).toBe(true);
    expect(back.message).toBe(error.message);
  });

  it.each([
    [new TypeError('x is undefined'), 'x is undefined'],
    ['a thrown string', 'a thrown string'],
    [undefined, 'undefined'],
    [{ toString: (): string => 'odd' }, 'odd'],
  ])('calls what was not thrown on purpose internal: %s', (thrown, message) => {
    expect(toWireError(thrown)).toMatchObject({ kind: 'internal', message });
  });
});
