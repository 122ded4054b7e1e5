import { isStudioError, StudioError, reasonOf } from '../../shared/errors.ts';

/**
 * What the tokenizer's library threw over a file, as an error that names the file. It checks little: a part that is
 * missing or of another kind comes as an accident inside it, whose words would tell a person nothing.
 */
export function tokenizerFault(source: string, error: unknown): StudioError {
  if (isStudioError(error)) return error;
  const message = reasonOf(error);
  const isAccident =
    error instanceof TypeError || error instanceof RangeError || /undefined|\[object/.test(message);
  const why = isAccident ? 'a part of it is missing or of another kind' : message;
  return new StudioError('model-invalid', `${source}: the tokenizer is broken (${why})`, {
    cause: error,
  });
}
