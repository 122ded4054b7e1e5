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
  const likeliest = candidatesByLogit(logits, sampling.topK);
  const largest = likeliest[0]?.logit ?? 0;
  const weighed = likeliest.map(({ id, logit }) => ({
    id,
    weight: Math.exp((logit - largest) / sampling.temperature),
  }));
  const kept = nucleus(weighed, sampling.topP);
  const total = sumOf(kept);
  let running = 0;
  let chosen = 0;
  for (const { id, weight } of kept) {
    running += weight;
    chosen = id;
    if (running > uniform * total) break;
  }
  return chosen;
}

/** The id of the largest logit; the lowest of several equal ones. */
export function greedyToken(logits: Float32Array): number {
  let [best, largest] = [0, -Infinity];
  logits.forEach((logit, id) => {
    if (logit > largest) [best, largest] = [id, logit];
  });
  return best;
}

interface Candidate {
  readonly id: number;
  readonly logit: number;
}

interface Weighed {
  readonly id: number;
  readonly weight: number;
}

/** From most to least likely, at most `topK` of them (0: all). */
function candidatesByLogit(logits: Float32Array, topK: number): Candidate[] {
  const candidates = Array.from(logits, (logit, id) => ({ id, logit })).sort(
    (left, right) => right.logit - left.logit || left.id - right.id,
  );
  return topK > 0 ? candidates.slice(0, topK) : candidates;
}

/** The shortest run from the front whose weights reach `topP` of all. */
function nucleus(candidates: readonly Weighed[], topP: number): readonly Weighed[] {
  const limit = topP * sumOf(candidates);
  let before = 0;
  const end = candidates.findIndex(({ weight }, rank) => {
    if (rank > 0 && before >= limit) return true;
    before += weight;
    return false;
  });
  return end < 0 ? candidates : candidates.slice(0, end);
}

function sumOf(candidates: readonly Weighed[]): number {
  return candidates.reduce((sum, { weight }) => sum + weight, 0);
}
