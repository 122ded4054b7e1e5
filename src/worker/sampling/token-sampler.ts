/** How one token is chosen from logits. Temperature 0 is greedy; top-k 0 and top-p 1 are off. */
export interface TokenSampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
}

/**
 * Chooses a token from `logits` [vocabulary] with one uniform number in [0, 1). This is the reference that sampling
 * inside the decoding graph is proved against.
 *
 * In order: logits / temperature; the `topK` largest; of those, softmax and the shortest run of most likely tokens
 * whose probabilities reach `topP` (a token stays while the sum of those before it is below topP, as in
 * transformers' TopPLogitsWarper); the rest is renormalised, and the first token whose running sum exceeds `uniform`
 * times their total is taken. Equal logits keep the order of their ids, so greedy takes the lowest id.
 */
export function sampleToken(
  logits: Float32Array,
  sampling: TokenSampling,
  uniform: number,
): number {
  if (sampling.temperature === 0 || sampling.topK === 1) return greedyToken(logits);
  const ids = idsByLogit(logits, sampling.topK);
  const largest = logits[ids[0]!]!;
  const weights = ids.map((id) => Math.exp((logits[id]! - largest) / sampling.temperature));
  const kept = nucleusSize(weights, sampling.topP);
  const total = sum(weights, kept);
  let running = 0;
  for (let rank = 0; rank < kept; rank++) {
    running += weights[rank]!;
    if (running > uniform * total) return ids[rank]!;
  }
  return ids[kept - 1]!;
}

/** The id of the largest logit; the lowest of several equal ones. */
export function greedyToken(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Ids from most to least likely, at most `topK` of them (0: all). */
function idsByLogit(logits: Float32Array, topK: number): number[] {
  const ids = Array.from(logits.keys()).sort(
    (left, right) => logits[right]! - logits[left]! || left - right,
  );
  return topK > 0 ? ids.slice(0, topK) : ids;
}

function nucleusSize(weights: readonly number[], topP: number): number {
  const limit = topP * sum(weights, weights.length);
  let before = 0;
  for (let rank = 0; rank < weights.length; rank++) {
    if (rank > 0 && before >= limit) return rank;
    before += weights[rank]!;
  }
  return weights.length;
}

function sum(values: readonly number[], count: number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += values[index]!;
  return total;
}
