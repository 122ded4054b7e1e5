import { shortened } from '../../shared/errors.ts';

/** A weights file that cannot be used: truncated, malformed, of a type that is not supported. */
export class WeightError extends Error {
  override readonly name = 'WeightError';

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options);
  }
}
