import { sentenceOf } from '../texts.svelte.ts';

/** Does something for a store that says what went wrong last. @returns whether it went well */
export async function attempt(
  store: { error: string | null },
  action: () => Promise<unknown>,
): Promise<boolean> {
  store.error = null;
  try {
    await action();
    return true;
  } catch (error) {
    store.error = sentenceOf(error);
    return false;
  }
}
