/** Loop and If: ops with a body. */
import { describe, ofType, sameType } from '../check.ts';
import type { Dim, Shape } from '../dim.ts';
import { canonicalDim, sameShape } from '../dim.ts';
import { GraphError } from '../graph-error.ts';
import { asOwnOutput } from '../graph.ts';
import type { Body, Value, Values } from '../value.ts';
import { attribute, inScope, input, makeValues, matched } from '../value.ts';

/** A value carried from one iteration to the next, with the shape it has inside and after. */
export interface Carried {
  readonly initial: Value;
  /** Shape at the start of an iteration; give it where it changes from one to the next. */
  readonly shape?: Shape;
}

/** What a loop's body gives back. */
export interface Iteration<Collected extends readonly Value[] = readonly Value[]> {
  /** bool scalar: go on? */
  readonly keepGoing: Value;
  readonly carried: readonly Value[];
  /** Collected over all iterations along a new first axis. */
  readonly collected: Collected;
}

/**
 * ONNX Loop. `write` is called once with the iteration number (int64 scalar) and the carried values.
 *
 * @param options.maxTrips int64 scalar.
 * @param options.trips name for the number of iterations, the first axis of what is collected.
 * @param options.finalShapes shapes of the carried values after the loop, where they are not those inside.
 */
export function loop<
  const States extends readonly Carried[],
  const Collected extends readonly Value[],
>(
  options: {
    readonly maxTrips: Value;
    readonly keepGoing: Value;
    readonly carried: States;
    readonly trips: Dim;
    readonly finalShapes?: readonly Shape[];
  },
  write: (iteration: Value, carried: Values<States>) => Iteration<Collected>,
): { readonly carried: Values<States>; readonly collected: Values<Collected> } {
  ofType('Loop', options.maxTrips, 'int64');
  ofType('Loop', options.keepGoing, 'bool');
  const { body, collected } = loopBody(options.carried, write);
  const states = options.carried.map(({ initial, shape }, index) => ({
    dtype: initial.dtype,
    shape: (options.finalShapes?.[index] ?? shape ?? initial.shape).map(canonicalDim),
  }));
  const scans = collected.map(({ dtype, shape }) => ({
    dtype,
    shape: [canonicalDim(options.trips), ...shape],
  }));
  const inputs = [
    options.maxTrips,
    options.keepGoing,
    ...options.carried.map(({ initial }) => initial),
  ];
  const outputs = makeValues('Loop', inputs, [...states, ...scans], { body: attribute.body(body) });
  return {
    carried: matched('Loop', outputs.slice(0, states.length), options.carried),
    collected: matched('Loop', outputs.slice(states.length), collected),
  };
}

function loopBody<const States extends readonly Carried[], Collected extends readonly Value[]>(
  carried: States,
  write: (iteration: Value, carried: Values<States>) => Iteration<Collected>,
): { readonly body: Body; readonly collected: Collected } {
  return inScope('Loop', (scope) => {
    const iteration = input('iteration', 'int64', []);
    const going = input('going', 'bool', []);
    const states = carried.map(({ initial, shape }, index) =>
      input(`carried_${index}`, initial.dtype, shape ?? initial.shape),
    );
    const result = write(iteration, matched('Loop', states, carried));
    ofType('Loop', result.keepGoing, 'bool');
    checkCarried(carried, states, result.carried);
    const { collected } = result;
    const taken = new Set<Value>();
    const outputs = [result.keepGoing, ...result.carried, ...collected].map((value) =>
      asOwnOutput(value, scope, taken),
    );
    return { body: { inputs: [iteration, going, ...states], outputs, scope }, collected };
  });
}

/** What goes out of an iteration is what goes into the next. */
function checkCarried(
  carried: readonly Carried[],
  states: readonly Value[],
  given: readonly Value[],
): void {
  if (given.length !== states.length) {
    throw new GraphError(`Loop: ${states.length} values carried in, ${given.length} out`);
  }
  given.forEach((value, index) => {
    const state = states[index];
    const changes = carried[index]?.shape !== undefined;
    if (state === undefined) throw new GraphError(`Loop: nothing carried in at ${index}`);
    if (value.dtype !== state.dtype || (!changes && !sameShape(value.shape, state.shape))) {
      throw new GraphError(
        `Loop: carried value ${index} goes in as ${describe(state)} and out as ${describe(value)}`,
      );
    }
  });
}

/** ONNX If: only the branch taken is computed. Both must give the same types and shapes. */
export function ifElse<const Given extends readonly Value[]>(
  condition: Value,
  thenBranch: () => Given,
  elseBranch: () => readonly Value[],
): Values<Given> {
  ofType('If', condition, 'bool');
  const write = <Branch extends readonly Value[]>(what: string, branch: () => Branch) =>
    inScope(what, (scope) => {
      const taken = new Set<Value>();
      const given = branch();
      const outputs = given.map((value) => asOwnOutput(value, scope, taken));
      return { given, body: { inputs: [], outputs, scope } satisfies Body };
    });
  const { given, body: yes } = write('If then', thenBranch);
  const { body: no } = write('If else', elseBranch);
  if (yes.outputs.length !== no.outputs.length) {
    throw new GraphError(`If: branches give ${yes.outputs.length} and ${no.outputs.length} values`);
  }
  const types = yes.outputs.map((value, index) => {
    const other = no.outputs[index];
    if (other === undefined) throw new GraphError(`If: the other branch gives nothing at ${index}`);
    sameType('If', value, other);
    if (!sameShape(value.shape, other.shape)) {
      throw new GraphError(`If: branches give ${describe(value)} and ${describe(other)}`);
    }
    return { dtype: value.dtype, shape: value.shape };
  });
  const made = makeValues('If', [condition], types, {
    then_branch: attribute.body(yes),
    else_branch: attribute.body(no),
  });
  return matched('If', made, given);
}
