import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about the drawing bench. */
export function benchHandlers({ bench }: AppServices): DomainHandlers<'bench'> {
  return {
    'bench.draw': (request) => ({ drawings: bench.draw(request) }),
    'bench.list': (request) => ({ drawings: bench.list(request.bench) }),
    'bench.cancel'({ drawingIds }) {
      bench.cancel(drawingIds);
      return null;
    },
    'bench.place': ({ pictureId, current, ...place }) => bench.place(pictureId, place, current),
  };
}
