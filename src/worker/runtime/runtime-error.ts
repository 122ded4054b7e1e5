/** A session that could not be made or run; the runtime's own error is the cause. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}
