import { expect, test } from 'vitest';
import { zoomByKey, zoomLevels } from '../../src/main/zoom-keys.ts';

const control = { type: 'keyDown', key: '=', control: true, meta: false, alt: false };

test('Ctrl and =, +, - and 0 zoom, as far as it goes', () => {
  expect(zoomByKey(control, 0, 'linux')).toBe(0.5);
  expect(zoomByKey({ ...control, key: '+' }, 1, 'win32')).toBe(1.5);
  expect(zoomByKey({ ...control, key: '-' }, 0, 'linux')).toBe(-0.5);
  expect(zoomByKey({ ...control, key: '0' }, 3, 'linux')).toBe(0);
  expect(zoomByKey(control, zoomLevels.most, 'linux')).toBe(zoomLevels.most);
  expect(zoomByKey({ ...control, key: '_' }, zoomLevels.least, 'linux')).toBe(zoomLevels.least);
});

test('on macOS it is Command; other keys, their release and Alt are not taken', () => {
  const command = { ...control, control: false, meta: true };
  expect(zoomByKey(command, 0, 'darwin')).toBe(0.5);
  expect(zoomByKey(control, 0, 'darwin')).toBeNull();
  expect(zoomByKey(command, 0, 'linux')).toBeNull();
  expect(zoomByKey({ ...control, type: 'keyUp' }, 0, 'linux')).toBeNull();
  expect(zoomByKey({ ...control, alt: true }, 0, 'linux')).toBeNull();
  expect(zoomByKey({ ...control, key: 'a' }, 0, 'linux')).toBeNull();
});
