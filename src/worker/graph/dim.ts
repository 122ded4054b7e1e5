/**
 * Dimensions: numbers, or named symbols with linear arithmetic over them.
 *
 * A symbolic dimension is a string in canonical form, e.g. `length+past` or `4*height+1`, so two
 * dimensions are equal exactly when they are `===`. What is not linear (a product of two symbols, a
 * division that does not come out even) becomes an atom of its own.
 */

/** A number, or a symbol or linear expression over symbols in canonical form. */
export type Dim = number | string;

/** A tensor's shape; `[]` is a scalar. */
export type Shape = readonly Dim[];

interface Linear {
  readonly constant: number;
  readonly terms: ReadonlyMap<string, number>;
}

// Canonical text -> expression. Content-addressed, so sharing it between graphs changes nothing.
const known = new Map<string, Linear>();

function parseTerm(text: string): Linear {
  if (/^\d+$/.test(text)) return { constant: Number(text), terms: new Map() };
  const product = /^(\d+)\*(\w+)$/.exec(text);
  if (product) return { constant: 0, terms: new Map([[product[2] ?? '', Number(product[1])]]) };
  return { constant: 0, terms: new Map([[text, 1]]) };
}

function toLinear(dim: Dim): Linear {
  if (typeof dim === 'number') return { constant: dim, terms: new Map() };
  const found = known.get(dim);
  if (found) return found;
  if (!/^[\w*]+(\+[\w*]+)*$/.test(dim)) return parseTerm(dim);
  return dim
    .split('+')
    .map(parseTerm)
    .reduce((sum, term) => combine(sum, term, 1));
}

function combine(a: Linear, b: Linear, factor: number): Linear {
  const terms = new Map(a.terms);
  for (const [name, coefficient] of b.terms) {
    const total = (terms.get(name) ?? 0) + factor * coefficient;
    if (total === 0) terms.delete(name);
    else terms.set(name, total);
  }
  return { constant: a.constant + factor * b.constant, terms };
}

function toDim(linear: Linear): Dim {
  if (linear.terms.size === 0) return linear.constant;
  const names = [...linear.terms.keys()].sort();
  const parts = names.map((name) => {
    const coefficient = linear.terms.get(name) ?? 0;
    return coefficient === 1 ? name : `${coefficient}*${name}`;
  });
  if (linear.constant !== 0) parts.push(String(linear.constant));
  const text = parts.join('+').replaceAll('+-', '-');
  known.set(text, linear);
  return text;
}

function atom(text: string): Dim {
  known.set(text, { constant: 0, terms: new Map([[text, 1]]) });
  return text;
}

/** Brings a dimension written by hand (`past+length`) to canonical form. */
export function canonicalDim(dim: Dim): Dim {
  return toDim(toLinear(dim));
}

/** a + b. */
export function addDims(a: Dim, b: Dim): Dim {
  return toDim(combine(toLinear(a), toLinear(b), 1));
}

/** a - b. */
export function subDims(a: Dim, b: Dim): Dim {
  return toDim(combine(toLinear(a), toLinear(b), -1));
}

/** The single term of a dimension like `3*height`, undefined for sums. */
function monomial(dim: Dim): { readonly name: string; readonly coefficient: number } | undefined {
  const { constant, terms } = toLinear(dim);
  const [only, ...others] = terms;
  if (constant !== 0 || !only || others.length > 0 || !/^[\w*]+$/.test(only[0])) return undefined;
  return { name: only[0], coefficient: only[1] };
}

/** a * b; linear when one of them is a number, an atom like `batch*length` otherwise. */
export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return timesNumber(b, a);
  if (typeof b === 'number') return timesNumber(a, b);
  const [left, right] = [monomial(a), monomial(b)];
  if (!left || !right) return atom(`(${[a, b].sort().join(')*(')})`);
  const names = [...left.name.split('*'), ...right.name.split('*')].sort();
  return mulDims(left.coefficient * right.coefficient, atom(names.join('*')));
}

function timesNumber(dim: Dim, factor: number): Dim {
  return toDim(combine({ constant: 0, terms: new Map() }, toLinear(dim), factor));
}

/** floor(a / divisor): exact for numbers and where every coefficient is divisible. */
export function floorDivDim(a: Dim, divisor: number): Dim {
  const { constant, terms } = toLinear(a);
  if ([...terms.values()].some((coefficient) => coefficient % divisor !== 0)) {
    return divisor === 1 ? a : atom(`floor((${a})/${divisor})`);
  }
  const divided = [...terms].map(([name, coefficient]) => [name, coefficient / divisor] as const);
  return toDim({ constant: Math.floor(constant / divisor), terms: new Map(divided) });
}

/** Product of all dimensions; 1 for a scalar. */
export function sizeOf(shape: Shape): Dim {
  return shape.reduce<Dim>((product, dim) => mulDims(product, dim), 1);
}

/** True when both shapes are the same, dimension by dimension. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** `[1, past+length, 64]` */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
