import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about two models side by side. */
export function comparisonHandlers({ comparison }: AppServices): DomainHandlers<'comparison'> {
  return {
    'comparison.current': () => ({
      comparison: comparison.current(),
      tallies: comparison.tally(),
    }),
    'comparison.start': (request) => comparison.start(request),
    'comparison.stop'() {
      comparison.stop();
      return null;
    },
    'comparison.judge': ({ id, verdict }) => ({
      comparison: comparison.judge(id, verdict),
      tallies: comparison.tally(),
    }),
  };
}
