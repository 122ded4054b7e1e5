/** What writing the rest will take, before it is begun. */
import type { RecipeEstimate, RecipePlan } from '../../shared/domain/recipe.ts';
import { roughTokens } from './prompts.ts';
import type { WritingRequest } from './writer.ts';

/** What there was so far. */
export interface SoFar {
  /** Tokens, and seconds, of all answers. */
  readonly prompt: number;
  readonly reply: number;
  readonly answers: number;
  readonly seconds: number;
  /** Answers that were taken and not judged yet. */
  readonly taken: number;
}

/** Of one answer, where none was seen: six messages of two or three sentences. */
const usualReplyTokens = 400;

/** @param shown some of the requests to come: the others are taken to be like them */
export function estimateOf(
  { settings, price, writer }: RecipePlan,
  left: number,
  shown: readonly WritingRequest[],
  soFar: SoFar,
): RecipeEstimate {
  const { answers } = soFar;
  const guessed = mean(shown.map(({ system, user }) => roughTokens(system) + roughTokens(user)));
  const prompt = answers > 0 ? soFar.prompt / answers : guessed;
  const reply =
    answers > 0 ? soFar.reply / answers : Math.min(usualReplyTokens, settings.maxTokens);
  const requests = Math.ceil(left * triesEach(soFar, settings.tries));
  const cost =
    price === null ? null : (requests * (prompt * price.prompt + reply * price.reply)) / 1e6;
  const atOnce = writer.kind === 'app' ? 1 : settings.atOnce;
  return {
    requests,
    promptTokens: Math.round(requests * prompt),
    replyTokens: Math.round(requests * reply),
    cost,
    seconds: answers > 0 ? (requests * soFar.seconds) / answers / atOnce : null,
    address: writer.kind === 'server' ? writer.address : null,
  };
}

/** Answers that a conversation takes: as many as so far, once there were some; else one. */
function triesEach({ answers, taken }: SoFar, tries: number): number {
  if (answers < 5) return 1;
  return Math.min(tries, answers / Math.max(1, taken));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
