/** How numbers, times, sizes and names read everywhere. A missing value is `-`, a NaN says NaN. */
import { type Real, toNumber } from '../../api/types';
import { MISSING, grouped } from '../../text';

export { MISSING, formatNumber, grouped, shortened, visible } from '../../text';

/** A share of one as a percentage, `63 %`. */
export function formatPercent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined || !Number.isFinite(share)
    ? MISSING
    : `${(share * 100).toFixed(digits)}\u00a0%`;
}

/** Bytes in decimal units with three digits: `7.1 GB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) {
    return MISSING;
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 || Math.abs(value) >= 99.95 ? value.toFixed(0) : value.toFixed(1);
  return `${text.replace(/\.0$/, '')}\u00a0${units[unit]}`;
}

/** Seconds as `0.4 s`, `12 s`, `1 min 12 s`, `1 h 04 min`, `2 d 03 h`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return MISSING;
  }
  const s = Math.max(0, seconds);
  if (s < 9.95) {
    return `${s.toFixed(1).replace(/\.0$/, '')}\u00a0s`;
  }
  const whole = Math.round(s);
  if (whole < 60) {
    return `${whole}\u00a0s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)}\u00a0min\u00a0${two(whole % 60)}\u00a0s`;
  }
  if (whole < 86_400) {
    return `${Math.floor(whole / 3600)}\u00a0h\u00a0${two(Math.floor((whole % 3600) / 60))}\u00a0min`;
  }
  return `${Math.floor(whole / 86_400)}\u00a0d\u00a0${two(Math.floor((whole % 86_400) / 3600))}\u00a0h`;
}

/** A stopwatch's reading, `00:41` or `1:02:03`, which keeps its width while it runs. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** Milliseconds of a latency: `3.2 ms`, `1.2 s`. */
export function formatMillis(value: Real | null | undefined): string {
  const ms = toNumber(value);
  if (!Number.isFinite(ms)) {
    return MISSING;
  }
  if (ms >= 1000) {
    return formatDuration(ms / 1000);
  }
  return `${ms >= 100 ? ms.toFixed(0) : String(Number(ms.toPrecision(2)))}\u00a0ms`;
}

/** A moment relative to now: `just now`, `2 min ago`, `3 h ago`, `yesterday`, then the date. */
export function formatRelative(at: string | null | undefined, now = Date.now()): string {
  const then = at ? Date.parse(at) : NaN;
  if (Number.isNaN(then)) {
    return MISSING;
  }
  const seconds = (now - then) / 1000;
  if (seconds < 0) {
    return seconds > -5 ? 'just now' : `in ${formatDuration(-seconds)}`;
  }
  if (seconds < 45) {
    return seconds < 5 ? 'just now' : `${Math.floor(seconds)}\u00a0s ago`;
  }
  if (seconds < 3600) {
    return `${Math.max(1, Math.round(seconds / 60))}\u00a0min ago`;
  }
  if (seconds < 86_400) {
    return `${Math.round(seconds / 3600)}\u00a0h ago`;
  }
  const days = Math.floor(seconds / 86_400);
  if (days < 2) {
    return 'yesterday';
  }
  return days < 14
    ? `${days} days ago`
    : new Date(then).toLocaleDateString(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
}

/** A moment in full, in the reader's time zone. */
export function formatAbsolute(at: string | null | undefined): string {
  const then = at ? new Date(at) : undefined;
  return then && !Number.isNaN(then.getTime())
    ? then.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
    : MISSING;
}

/** `1 run`, `2 runs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
