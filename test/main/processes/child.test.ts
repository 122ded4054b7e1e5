import { describe, expect, test } from 'vitest';
import { describeExit } from '../../../src/main/processes/child.ts';

describe('how a worker ended', () => {
  test.each([
    [{ code: 3, signal: null }, '', 'The engine ended with code 3.'],
    [{ code: null, signal: 'SIGSEGV' }, '', 'The engine was ended by SIGSEGV.'],
    [{ code: 1, signal: null }, 'first\nlast line\n', 'The engine ended with code 1: last line'],
    [
      { code: null, signal: 'SIGKILL' },
      'a warning of long before\n',
      'The engine was ended by SIGKILL (the system does this when memory runs out).',
    ],
  ])('%j', (exit, words, sentence) => {
    expect(describeExit(exit, words)).toBe(sentence);
  });
});
