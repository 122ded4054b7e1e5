import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about settings and the engine that runs them. */
export function engineHandlers(
  services: AppServices,
): DomainHandlers<'settings'> & DomainHandlers<'engine'> {
  const { store, engine, emit } = services;
  return {
    'settings.get': () => store.settings.get(),
    'settings.set'(patch) {
      const before = store.settings.get();
      const after = store.settings.set(patch);
      emit('settings.changed', after);
      const reopens =
        before.modelFolder !== after.modelFolder || before.provider !== after.provider;
      if (reopens) void engine.openChosen();
      return after;
    },
    'engine.status': () => engine.status(),
    async 'engine.restart'() {
      await engine.restart();
      return null;
    },
  };
}
