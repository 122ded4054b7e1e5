/**
 * Lets the process do what waits (messages, a signal's handler), and then ends the work where it was stopped. Called
 * between pieces of work that block.
 * @throws the signal's reason
 */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
