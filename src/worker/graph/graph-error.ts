/** A graph that cannot be: shapes or types that do not fit, a value out of its scope, a missing weight. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

/** What is wrong with one tensor of a checkpoint. */
export interface TensorFault {
  readonly tensor: string;
  readonly problem: 'missing' | 'wrong';
  /** A sentence without the file. */
  readonly says: string;
}

/** A checkpoint that a network cannot be built from: everything that is wrong with it, not the first alone. */
export class WeightsError extends GraphError {
  /** The files that the weights are read from; empty where that is not known. */
  readonly source: string;
  readonly faults: readonly TensorFault[];

  constructor(message: string, source: string, faults: readonly TensorFault[]) {
    super(message);
    this.source = source;
    this.faults = faults;
  }
}
