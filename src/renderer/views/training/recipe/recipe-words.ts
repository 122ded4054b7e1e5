import type { Recipe, RecipeEstimate } from '../../../../shared/domain/recipe.ts';
import { t } from '../../../texts.svelte.ts';
import { hoursWords, number } from '../words.ts';

/** "Looking at the pictures: 120 of 2,000", "4 to write, 2 accepted" */
export function recipeStateWords({ state, progress, counts, clusters }: Recipe): string {
  if (state !== 'resting') {
    const says = state === 'looking' ? t.recipe.looking : t.recipe.writing;
    if (progress === null) return says;
    const far = t.recipe.doneOf(number(progress.done), number(progress.total));
    return says + t.common.colon + far;
  }
  if (clusters === null) return t.recipe.picturesToLookAt;
  const { toReview, accepted, toWrite } = counts;
  const words = [
    toWrite > 0 ? t.recipe.toWrite(number(toWrite)) : null,
    toReview > 0 ? t.recipe.toReview(number(toReview)) : null,
    accepted > 0 ? t.recipe.accepted(number(accepted)) : null,
  ].filter((each) => each !== null);
  return words.length === 0 ? t.recipe.nothingToDo : words.join(t.common.comma);
}

/** What the rest will take. */
export function estimateWords(estimate: RecipeEstimate, currency: string): string {
  const { requests, promptTokens, replyTokens, cost, seconds } = estimate;
  const words = [
    t.recipe.aboutRequests(number(requests), requests),
    t.recipe.estimatedTokens(number(promptTokens), number(replyTokens)),
  ];
  if (cost !== null) words.push(`${number(Number(cost.toPrecision(2)))} ${currency}`.trim());
  words.push(timeWords(seconds));
  return words.join(' · ');
}

function timeWords(seconds: number | null): string {
  if (seconds === null) return t.recipe.timeUnknown;
  return seconds < 60 ? t.recipe.lessThanMinute : hoursWords(seconds / 3600);
}
