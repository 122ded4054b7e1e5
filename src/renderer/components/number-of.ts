import { limitsOf, type SchemaOf } from '../../shared/domain/limits.ts';

/**
 * One of several numbers as a `NumberField` has it, within the limits that their schema sets; it may be empty where it
 * may be null: `<NumberField {...numberOf(recipeSettingsSchema, settings, 'seed', set)} />`.
 * @param change is given all of them
 */
export function numberOf<Key extends string, Values extends Readonly<Record<Key, number | null>>>(
  { shape }: { readonly shape: { readonly [Each in Key]: SchemaOf<Values[Each]> } },
  values: Values,
  key: Key,
  change: (to: Values) => void,
) {
  const { min, max, mayBeNull } = limitsOf(shape[key]);
  const set = (value: number | null): void => change({ ...values, [key]: value });
  return {
    ...{ value: values[key], min, max, onchange: (value: number): void => set(value) },
    ...(mayBeNull ? { onempty: (): void => set(null) } : {}),
  };
}
