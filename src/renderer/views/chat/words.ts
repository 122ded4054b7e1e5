import { keptDays } from '../../../shared/domain/conversation.ts';
import type { Notice, PictureWish, ReplyRecipe, Turn, Usage } from '../../../shared/domain/turn.ts';

/** Seconds as a person says them: "0.4 s", "12 s", "3 min 5 s". */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** "about 8 s left"; null when nothing is known. */
export function timeLeft(seconds: number | null): string | null {
  if (seconds === null) return null;
  if (seconds < 1) return 'nearly done';
  if (seconds < 90) return `about ${Math.ceil(seconds)} s left`;
  if (seconds < 5400) return `about ${Math.ceil(seconds / 60)} min left`;
  const hours = seconds / 3600;
  return hours < 48
    ? `about ${Math.round(hours)} h left`
    : `about ${Math.round(hours / 24)} days left`;
}

/** Bytes in decimal units: "134 MB". */
export function bytes(count: number): string {
  if (count < 1e6) return `${Math.max(1, Math.round(count / 1e3))} kB`;
  if (count < 1e9) return `${Math.round(count / 1e6)} MB`;
  return `${(count / 1e9).toFixed(1)} GB`;
}

/** A reply's temperature: at 0 the seed plays no part. */
export function temperatureWords({ temperature }: Pick<ReplyRecipe, 'temperature'>): string {
  return temperature === 0 ? '0 (the likeliest word each time)' : String(temperature);
}

/** What was wished of a reply. */
export const wishWords = {
  draw: 'a picture first',
  words: 'words alone',
} as const satisfies Record<PictureWish, string>;

/** Tokens for each second; null where no time was measured. */
export function rate(tokens: number, seconds: number): string | null {
  if (seconds <= 0 || tokens <= 0) return null;
  const perSecond = tokens / seconds;
  return `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} tokens/s`;
}

/** The figures of a reply in one line. */
export function usageLine(usage: Usage): string {
  const pieces = [`${usage.replyTokens} tokens`];
  const decode = rate(usage.replyTokens, usage.decodeSeconds);
  if (decode !== null) pieces.push(decode);
  if (usage.firstTokenSeconds !== null) {
    pieces.push(`first word after ${duration(usage.firstTokenSeconds)}`);
  }
  if (usage.pictures > 0) {
    const each = duration(usage.drawSeconds / usage.pictures);
    pieces.push(
      usage.pictures === 1 ? `1 picture in ${each}` : `${usage.pictures} pictures, ${each} each`,
    );
  }
  return pieces.join(' · ');
}

/** What to say at the end of a reply that did not come to its own end; null for one that did. */
export function statusSentence(turn: Pick<Turn, 'status' | 'error'>): string | null {
  switch (turn.status) {
    case 'cut':
      return 'The reply reached its length limit.';
    case 'stopped':
      return 'You stopped this reply.';
    case 'interrupted':
      // Where it was the engine that died, that is the turn's error; else the app ended, on purpose or not.
      return turn.error === null
        ? 'The app was closed while this was being written. What it had said is kept.'
        : 'The engine stopped while it was writing. What it had said is kept.';
    case 'streaming':
    case 'complete':
    case 'failed':
      return null;
    default:
      return turn.status satisfies never;
  }
}

/** Notices that a person need not read in each reply: what they say in a few words. */
const briefNotices: Partial<Record<Notice['code'], string>> = {
  'context-trimmed': 'Beginning left out',
  'caption-cut': 'Caption shortened',
  'caption-empty': 'Empty caption left out',
  'too-many-pictures': 'Wanted more pictures',
  'stray-end': 'Stray mark left out',
};

/**
 * A reply's notices: what is said in full, and what is only marked. What the model does again and again is marked, and
 * that the beginning is left out too, once an earlier reply has said it (`saidBefore`).
 */
export function sortNotices(
  notices: readonly Notice[],
  saidBefore: boolean,
): { readonly full: readonly Notice[]; readonly marked: readonly Notice[] } {
  const isMarked = ({ code }: Notice): boolean =>
    briefNotices[code] !== undefined && (code !== 'context-trimmed' || saidBefore);
  return {
    full: notices.filter((notice) => !isMarked(notice)),
    marked: notices.filter(isMarked),
  };
}

/** The mark of several notices: "Wanted more pictures", or "2 remarks". */
export function markWords(marked: readonly Notice[]): string {
  const codes = [...new Set(marked.map(({ code }) => code))];
  const [only, ...others] = codes;
  const brief = only === undefined ? undefined : briefNotices[only];
  return others.length === 0 && brief !== undefined ? brief : `${codes.length} remarks`;
}

/** How long something deleted is kept still: "deleted today, 30 days left". */
export function daysLeft(deletedAt: number, now: number): string {
  const dayMs = 86_400_000;
  const days = Math.max(0, Math.floor((now - deletedAt) / dayMs));
  const left = Math.max(0, keptDays - days);
  const when = days === 0 ? 'today' : days === 1 ? 'yesterday' : `${days} days ago`;
  return `deleted ${when}, ${left === 1 ? '1 day' : `${left} days`} left`;
}

/** The day group of a conversation in the list. */
export function dayGroup(updatedAt: number, now: number): string {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const dayMs = 86_400_000;
  if (updatedAt >= midnight.getTime()) return 'Today';
  if (updatedAt >= midnight.getTime() - dayMs) return 'Yesterday';
  if (updatedAt >= midnight.getTime() - 6 * dayMs) return 'This week';
  return 'Earlier';
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
  const message = `This message takes ${messageTokens}`;
  if (messageTokens > room) return `${message}: more than the ${room} that the model can read.`;
  const before = tokens - messageTokens;
  const all = `${message}, what stands before it ${before}; the model reads up to ${room} tokens.`;
  if (readsFrom === null) return all;
  return readsFrom === 'message'
    ? `${all} Nothing of the conversation fits beside it.`
    : `${all} A line in the conversation shows from where on it is read.`;
}

/** When a conversation was changed last, as a list has room for: "14:05", "Tue", "3 Mar", "3 Mar 2025". */
export function shortDate(at: number, now: number, locale?: string): string {
  const group = dayGroup(at, now);
  const date = new Date(at);
  if (group === 'Today') {
    return date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
  }
  if (group === 'Yesterday' || group === 'This week') {
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
