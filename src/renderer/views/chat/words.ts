import { keptDays } from '../../../shared/domain/conversation.ts';
import type { Notice, ReplyRecipe, Turn, Usage } from '../../../shared/domain/turn.ts';
import { sizeInUnit } from '../../../shared/words.ts';
import { decimal, inUnit } from '../../numbers.ts';
import { shownLocale, t } from '../../texts.svelte.ts';

/** Seconds as a person says them: "0.4 s", "12 s", "3 min 5 s". */
export function duration(seconds: number): string {
  if (seconds < 10) return t.chat.seconds(decimal(seconds, 1));
  if (seconds < 60) return t.chat.seconds(Math.round(seconds));
  const whole = Math.round(seconds);
  return t.chat.minutesAndSeconds(Math.floor(whole / 60), whole % 60);
}

/** "about 8 s left"; null when nothing is known. */
export function timeLeft(seconds: number | null): string | null {
  if (seconds === null) return null;
  if (seconds < 1) return t.chat.nearlyDone;
  if (seconds < 90) return t.chat.aboutSLeft(Math.ceil(seconds));
  if (seconds < 5400) return t.chat.aboutMinLeft(Math.ceil(seconds / 60));
  const hours = seconds / 3600;
  return hours < 48
    ? t.chat.aboutHLeft(Math.round(hours))
    : t.chat.aboutDaysLeft(Math.round(hours / 24));
}

/** Bytes in decimal units: "134 MB", "13.2 GB". */
export function bytes(count: number): string {
  if (count < 1e6) return inUnit(Math.max(1, Math.round(count / 1e3)), 'kilobyte', 0);
  const { value, unit, digits } = sizeInUnit(count);
  return inUnit(value, unit, digits);
}

/** A reply's temperature: at 0 the seed plays no part. */
export function temperatureWords({ temperature }: Pick<ReplyRecipe, 'temperature'>): string {
  return temperature === 0 ? t.chat.n0LikeliestWordEachTime : String(temperature);
}

/** Tokens for each second; null where no time was measured. */
export function rate(tokens: number, seconds: number): string | null {
  if (seconds <= 0 || tokens <= 0) return null;
  const perSecond = tokens / seconds;
  return t.chat.tokensS(decimal(perSecond, perSecond < 10 ? 1 : 0));
}

/** The figures of a reply in one line. */
export function usageLine(usage: Usage): string {
  const pieces = [t.chat.tokensWritten(usage.replyTokens)];
  const decode = rate(usage.replyTokens, usage.decodeSeconds);
  if (decode !== null) pieces.push(decode);
  if (usage.firstTokenSeconds !== null) {
    pieces.push(t.chat.firstWordAfterTime(duration(usage.firstTokenSeconds)));
  }
  if (usage.pictures > 0) {
    const each = duration(usage.drawSeconds / usage.pictures);
    pieces.push(
      usage.pictures === 1 ? t.chat.onePictureIn(each) : t.chat.picturesEach(usage.pictures, each),
    );
  }
  return pieces.join(' · ');
}

/** What to say at the end of a reply that did not come to its own end; null for one that did. */
export function statusSentence(turn: Pick<Turn, 'status' | 'error'>): string | null {
  switch (turn.status) {
    case 'cut':
      return t.chat.replyReachedItsLengthLimit;
    case 'stopped':
      return t.chat.youStoppedThisReply;
    case 'interrupted':
      // Where it was the engine that died, that is the turn's error; else the app ended, on purpose or not.
      return turn.error === null ? t.chat.appWasClosedWhileThis : t.chat.engineStoppedWhileItWas;
    case 'streaming':
    case 'complete':
    case 'failed':
      return null;
    default:
      return turn.status satisfies never;
  }
}

/** What a notice says in a few words, where a person need not read it in each reply. */
function briefOf(code: Notice['code']): string | undefined {
  const brief: Partial<Record<Notice['code'], string>> = t.chat.briefNotices;
  return brief[code];
}

/**
 * A reply's notices: what is said in full, and what is only marked. What the model does again and again is marked, and
 * that the beginning is left out too, once an earlier reply has said it (`saidBefore`).
 */
export function sortNotices(
  notices: readonly Notice[],
  saidBefore: boolean,
): { readonly full: readonly Notice[]; readonly marked: readonly Notice[] } {
  const isMarked = ({ code }: Notice): boolean =>
    briefOf(code) !== undefined && (code !== 'context-trimmed' || saidBefore);
  return {
    full: notices.filter((notice) => !isMarked(notice)),
    marked: notices.filter(isMarked),
  };
}

/** The mark of several notices: "Wanted more pictures", or "2 remarks". */
export function markWords(marked: readonly Notice[]): string {
  const codes = [...new Set(marked.map(({ code }) => code))];
  const [only, ...others] = codes;
  const brief = only === undefined ? undefined : briefOf(only);
  return others.length === 0 && brief !== undefined ? brief : t.chat.remarks(codes.length);
}

/** How long something deleted is kept still: "deleted today, 30 days left". */
export function daysLeft(deletedAt: number, now: number): string {
  const dayMs = 86_400_000;
  const days = Math.max(0, Math.floor((now - deletedAt) / dayMs));
  const left = Math.max(0, keptDays - days);
  const when =
    days === 0 ? t.chat.deletedToday : days === 1 ? t.chat.deletedYesterday : t.chat.daysAgo(days);
  return t.chat.deletedWithDaysLeft(when, left);
}

type Day = 'today' | 'yesterday' | 'week' | 'earlier';

function dayOf(at: number, now: number): Day {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const dayMs = 86_400_000;
  if (at >= midnight.getTime()) return 'today';
  if (at >= midnight.getTime() - dayMs) return 'yesterday';
  return at >= midnight.getTime() - 6 * dayMs ? 'week' : 'earlier';
}

/** The day group of a conversation in the list. */
export function dayGroup(updatedAt: number, now: number): string {
  return t.chat.days[dayOf(updatedAt, now)];
}

/** What the meter says in full. */
export function meterWords({
  tokens,
  messageTokens,
  room,
  readsFrom,
}: {
  readonly tokens: number;
  readonly messageTokens: number;
  readonly room: number;
  readonly readsFrom: string | null;
}): string {
  const message = t.chat.thisMessageTakes(messageTokens);
  if (messageTokens > room) return t.chat.moreThanThatModelCan(message, room);
  const before = tokens - messageTokens;
  const all = t.chat.whatStandsBeforeItModel(message, before, room);
  if (readsFrom === null) return all;
  return readsFrom === 'message'
    ? t.chat.nothingOfConversationFitsBeside(all)
    : t.chat.lineInConversationShowsFrom(all);
}

/** When a conversation was changed last, as a list has room for: "14:05", "Tue", "3 Mar", "3 Mar 2025". */
export function shortDate(at: number, now: number, locale = shownLocale()): string {
  const day = dayOf(at, now);
  const date = new Date(at);
  if (day === 'today') {
    return date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
  }
  if (day === 'yesterday' || day === 'week') {
    return date.toLocaleDateString(locale, { weekday: 'short' });
  }
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString(locale, {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
}

export type Period = 'any' | 'today' | 'week' | 'month' | 'year' | 'older';

/** Stretches of time that a list may be filtered by, by days and from midnight on. */
export function periods(
  now: number,
): Readonly<
  Record<Period, { readonly since: number | undefined; readonly until: number | undefined }>
> {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const before = (days: number): number => {
    const day = new Date(midnight);
    day.setDate(day.getDate() - days);
    return day.getTime();
  };
  return {
    any: { since: undefined, until: undefined },
    today: { since: before(0), until: undefined },
    week: { since: before(6), until: undefined },
    month: { since: before(29), until: undefined },
    year: { since: before(364), until: undefined },
    older: { since: undefined, until: before(364) },
  };
}

/** Which of them a filter is. */
export function periodOf(
  { since, until }: { readonly since?: number | undefined; readonly until?: number | undefined },
  now: number,
): Period {
  const names: readonly Period[] = ['any', 'today', 'week', 'month', 'year', 'older'];
  const all = periods(now);
  return names.find((name) => all[name].since === since && all[name].until === until) ?? 'any';
}
