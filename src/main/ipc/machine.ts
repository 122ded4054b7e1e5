import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about the machine, and about what it offers to other programs. */
export function machineHandlers({
  doctor,
  localServer,
}: AppServices): DomainHandlers<'doctor'> & DomainHandlers<'server'> {
  return {
    'doctor.examine': () => doctor.examine(),
    'server.status': () => localServer.status(),
    'server.set': (patch) => localServer.set(patch),
    'server.renewKey': () => localServer.renewKey(),
  };
}
