import path from 'node:path';
import type { OpenModelReport } from '../shared/domain/engine-status.ts';
import { StudioError } from '../shared/errors.ts';
import type { ServedEngine, ServedModel } from './engine.ts';

export interface ServedEngineParts extends Pick<ServedEngine, 'checkPicture' | 'defaults'> {
  readonly engine: {
    /** Resolves when a model is open. @throws StudioError where none will be */
    whenReady(signal: AbortSignal): Promise<void>;
    status(): { readonly model: OpenModelReport | null };
  };
  readonly shared: {
    lend(signal: AbortSignal): ReturnType<ServedEngine['borrow']>;
    isOwnersTurn(): boolean;
  };
}

/** The engine as the server has it: whatever model is open in it at the moment. */
export function createServedEngine(parts: ServedEngineParts): ServedEngine {
  let known: { readonly report: OpenModelReport; readonly model: ServedModel } | null = null;
  return {
    async model(signal) {
      await parts.engine.whenReady(signal);
      const report = parts.engine.status().model;
      if (report === null) throw new StudioError('busy', 'The model is being opened.');
      if (known?.report !== report) known = { report, model: describe(report) };
      return known.model;
    },
    borrow: (signal) => parts.shared.lend(signal),
    isOwnersTurn: () => parts.shared.isOwnersTurn(),
    checkPicture: (bytes, name, signal) => parts.checkPicture(bytes, name, signal),
    defaults: () => parts.defaults(),
  };
}

function describe(report: OpenModelReport): ServedModel {
  const { name, folder, drawing, maxSequenceLength } = report;
  const can = drawing === undefined ? null : { side: drawing.side, step: drawing.step };
  const id = path.basename(folder);
  return { id, name, drawing: can, maxSequenceLength, openedAt: Date.now() };
}
