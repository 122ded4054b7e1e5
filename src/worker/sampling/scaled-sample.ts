import { combine, type PredictionType } from './scheduler.ts';

/**
 * The picture that a prediction amounts to, for samples of unit variance.
 * @param noise standard deviation of the noise beside a picture of unit scale: sqrt((1 - alpha) / alpha)
 */
export function originalOfScaled(
  predictionType: PredictionType,
  noise: number,
  sample: Float32Array,
  prediction: Float32Array,
): Float32Array {
  const alpha = 1 / Math.sqrt(noise * noise + 1);
  const sigma = noise * alpha;
  switch (predictionType) {
    case 'epsilon':
      return combine(sample, prediction, (value, made) => (value - sigma * made) / alpha);
    case 'sample':
      return prediction;
    case 'v_prediction':
      return combine(sample, prediction, (value, velocity) => alpha * value - sigma * velocity);
    default:
      return predictionType satisfies never;
  }
}
