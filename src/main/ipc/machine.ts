import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about the machine, and about what it offers to other programs. */
export function machineHandlers({
  doctor,
  localServer,
  fit,
}: AppServices): DomainHandlers<'doctor'> & DomainHandlers<'server'> & DomainHandlers<'fit'> {
  return {
    'doctor.examine': () => doctor.examine(),
    'fit.list': async () => ({ estimates: await fit.list() }),
    'fit.measure': async ({ folder }) => ({ estimates: await fit.measure(folder) }),
    'server.status': () => localServer.status(),
    'server.set': (patch) => localServer.set(patch),
    'server.renewKey': () => localServer.renewKey(),
  };
}
