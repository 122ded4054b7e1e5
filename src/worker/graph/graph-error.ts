/** A graph that cannot be: shapes or types that do not fit, a value out of its scope, a missing weight. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}
