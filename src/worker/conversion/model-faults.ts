import { StudioError } from '../../shared/errors.ts';
import type { PartFault } from '../../shared/domain/model-import.ts';
import { WeightsError } from '../networks/index.ts';

/** A model that cannot be used, with everything that is wrong with its weights: not the first tensor alone. */
export class ModelFaults extends StudioError {
  readonly faults: readonly PartFault[];

  constructor(message: string, faults: readonly PartFault[]) {
    super('model-invalid', message);
    this.faults = faults;
  }
}

/** Goes on over weights that do not fit, so that those of other parts are looked at as well. */
export class FaultList {
  readonly #errors: WeightsError[] = [];

  /** Notes what is wrong with weights; anything else is thrown on. */
  async over(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      this.#errors.push(error);
    }
  }

  /** @throws {ModelFaults} where anything was noted */
  finish(): void {
    const [first, ...others] = this.#errors;
    if (first === undefined) return;
    const more = others.map(({ message }) => message);
    const faults = this.#errors.flatMap(({ source, faults: list }) =>
      list.map((fault) => ({ ...fault, place: source })),
    );
    throw new ModelFaults([first.message, ...more].join('; '), faults);
  }
}
