/** Loop and If: ops with a body. */
import { describe, ofType, sameType } from '../check.ts';
import type { Dim, Shape } from '../dim.ts';
import { canonicalDim, sameShape } from '../dim.ts';
import { GraphError } from '../graph-error.ts';
import { asOwnOutput } from '../graph.ts';
import type { Body, Value } from '../value.ts';
import { attribute, inScope, input, makeValues } from '../value.ts';

/** A value carried from one iteration to the next, with the shape it has inside and after. */
export interface Carried {
  readonly initial: Value;
  /** Shape at the start of an iteration; give it where it changes from one to the next. */
  readonly shape?: Shape;
}

/** What a loop's body gives back. */
export interface Iteration {
  /** bool scalar: go on? */
  readonly keepGoing: Value;
  readonly carried: readonly Value[];
  /** Collected over all iterations along a new first axis. */
  readonly collected?: readonly Value[];
}

/**
 * ONNX Loop. `write` is called once with the iteration number (int64 scalar) and the carried values.
 *
 * @param options.maxTrips int64 scalar.
 * @param options.trips name for the number of iterations, the first axis of what is collected.
 * @param options.finalShapes shapes of the carried values after the loop, where they are not those inside.
 */
export function loop(
  options: {
    readonly maxTrips: Value;
    readonly keepGoing: Value;
    readonly carried: readonly Carried[];
    readonly trips: Dim;
    readonly finalShapes?: readonly Shape[];
  },
  write: (iteration: Value, carried: readonly Value[]) => Iteration,
): { readonly carried: readonly Value[]; readonly collected: readonly Value[] } {
  ofType('Loop', options.maxTrips, 'int64');
  ofType('Loop', options.keepGoing, 'bool');
  let collectedTypes: readonly Value[] = [];
  const body = inScope('Loop', (scope): Body => {
    const iteration = input('iteration', 'int64', []);
    const going = input('going', 'bool', []);
    const states = options.carried.map(({ initial, shape }, index) =>
      input(`carried_${index}`, initial.dtype, shape ?? initial.shape),
    );
    const result = write(iteration, states);
    if (result.carried.length !== states.length) {
      throw new GraphError(
        `Loop: ${states.length} values carried in, ${result.carried.length} out`,
      );
    }
    result.carried.forEach((value, index) => {
      const state = states[index] as Value;
      const changes = options.carried[index]?.shape !== undefined;
      if (value.dtype !== state.dtype || (!changes && !sameShape(value.shape, state.shape))) {
        throw new GraphError(
          `Loop: carried value ${index} goes in as ${describe(state)} and out as ${describe(value)}`,
        );
      }
    });
    ofType('Loop', result.keepGoing, 'bool');
    collectedTypes = result.collected ?? [];
    const taken = new Set<Value>();
    const outputs = [result.keepGoing, ...result.carried, ...collectedTypes].map((value) =>
      asOwnOutput(value, scope, taken),
    );
    return { inputs: [iteration, going, ...states], outputs, scope };
  });
  const states = options.carried.map(({ initial, shape }, index) => ({
    dtype: initial.dtype,
    shape: (options.finalShapes?.[index] ?? shape ?? initial.shape).map(canonicalDim),
  }));
  const scans = collectedTypes.map(({ dtype, shape }) => ({
    dtype,
    shape: [canonicalDim(options.trips), ...shape],
  }));
  const inputs = [
    options.maxTrips,
    options.keepGoing,
    ...options.carried.map(({ initial }) => initial),
  ];
  const outputs = makeValues('Loop', inputs, [...states, ...scans], { body: attribute.body(body) });
  return { carried: outputs.slice(0, states.length), collected: outputs.slice(states.length) };
}

/** ONNX If: only the branch taken is computed. Both must give the same types and shapes. */
export function ifElse(
  condition: Value,
  thenBranch: () => readonly Value[],
  elseBranch: () => readonly Value[],
): readonly Value[] {
  ofType('If', condition, 'bool');
  const write = (what: string, branch: () => readonly Value[]): Body =>
    inScope(what, (scope) => {
      const taken = new Set<Value>();
      return {
        inputs: [],
        outputs: branch().map((value) => asOwnOutput(value, scope, taken)),
        scope,
      };
    });
  const yes = write('If then', thenBranch);
  const no = write('If else', elseBranch);
  if (yes.outputs.length !== no.outputs.length) {
    throw new GraphError(`If: branches give ${yes.outputs.length} and ${no.outputs.length} values`);
  }
  const types = yes.outputs.map((value, index) => {
    const other = no.outputs[index] as Value;
    sameType('If', value, other);
    if (!sameShape(value.shape, other.shape)) {
      throw new GraphError(`If: branches give ${describe(value)} and ${describe(other)}`);
    }
    return { dtype: value.dtype, shape: value.shape };
  });
  return makeValues('If', [condition], types, {
    then_branch: attribute.body(yes),
    else_branch: attribute.body(no),
  });
}
