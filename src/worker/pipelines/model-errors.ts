import { isStudioError, StudioError } from '../../shared/errors.ts';

/**
 * Turns what graphs, weights and the runtime throw into the kinds that a person is told about. They are known by name,
 * since pipelines do not import graphs.
 */
export function toStudioError(error: unknown): StudioError {
  if (isStudioError(error)) return error;
  if (!(error instanceof Error)) return new StudioError('internal', String(error));
  if (isOutOfMemory(error)) {
    return new StudioError('out-of-memory', 'There is not enough memory for this model.', {
      cause: error,
    });
  }
  if (error.name === 'GraphError' || error.name === 'WeightError') {
    return new StudioError('model-invalid', error.message, { cause: error });
  }
  if (error.name === 'AbortError') {
    return new StudioError('cancelled', 'Stopped.', { cause: error });
  }
  return new StudioError('internal', error.message, { cause: error });
}

/** The runtime says it in several ways, none of them a type. */
function isOutOfMemory(error: Error): boolean {
  const words = `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`;
  return /bad_alloc|out of memory|failed to allocate|allocation failed|CUDA_ERROR_OUT_OF_MEMORY|ENOMEM|array buffer allocation/i.test(
    words,
  );
}
