/** Figures as text for people, in the same forms as on the terminal. */

import type { Progress } from './data.ts';

/** Thin enough to bind a number and its unit; never broken at the end of a line. */
const SPACE = '\u00a0';
const NONE = '–';

/** `1,234,567` */
export function whole(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 device`, `1,000 devices` */
export function count(n: number, thing: string): string {
  return `${whole(n)} ${thing}${n === 1 ? '' : 's'}`;
}

/** A number with about two digits: `0.034`, `8.2`, `412`; 0 only for 0. */
export function rate(n: number): string {
  if (n === 0) return '0';
  if (n >= 99.95) return whole(n);
  if (n >= 0.995) return n.toFixed(1);
  return Number(n.toPrecision(2)).toString();
}

/** A share from 0 to 1: `41 %`, and `0.4 %` where a whole number would say nothing. */
export function percent(share: number): string {
  const percents = share * 100;
  const text = percents > 0 && percents < 0.95 ? rate(percents) : whole(percents);
  return `${text}${SPACE}%`;
}

/** The share of the whole run that is done, rounded down: 100 only at the end. */
export function percentDone({ done, total }: Progress): number | null {
  if (total === null) return null;
  return Math.min(100, Math.floor((done * 100) / Math.max(total, 1)));
}

/** `412 of 1,000 (41 %)` */
export function progressText(progress: Progress): string {
  const { done, total, totalIsCertain } = progress;
  if (total === null) return `${whole(done)} done`;
  const about = totalIsCertain ? '' : 'about ';
  return `${whole(done)} of ${about}${whole(total)} (${percentDone(progress)}${SPACE}%)`;
}

/** A time in its two largest units, rounded up to seconds: `48 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(time: number): string {
  const seconds = Math.ceil(Math.max(0, time));
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit));
  const text =
    minutes === 0
      ? `${seconds} s`
      : minutes < 10
        ? `${minutes} min ${seconds % 60} s`
        : hours === 0
          ? `${minutes} min`
          : days === 0
            ? `${hours} h ${minutes % 60} min`
            : `${days} d ${hours % 24} h`;
  return text.replace(/ (?=[a-z])/g, SPACE);
}

/** A short time with two or three digits: `0.25 ms`, `320 ms`, `1.5 s`; longer times by unit. */
export function precise(time: number | null): string {
  if (time === null) return NONE;
  if (time >= 60) return duration(time);
  if (time >= 0.9995) return `${rate(time)}${SPACE}s`;
  if (time >= 0.00995) return `${Math.round(time * 1000)}${SPACE}ms`;
  return `${rate(time * 1000)}${SPACE}ms`;
}

/** `0.5 s ± 0.1 s` */
export function meanAndDeviation(mean: number | null, deviation: number | null): string {
  if (mean === null || deviation === null) return precise(mean);
  return `${precise(mean)} ±${SPACE}${precise(deviation)}`;
}

/** `820 B`, `1.2 MB` */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let rest = n;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 ? whole(rest) : rate(rest)}${SPACE}${units[unit]}`;
}

/** The local time of day: `14:03:07`, or `14:03` without seconds. */
export function clock(time: number, withSeconds = true): string {
  const date = new Date(time * 1000);
  const parts = [date.getHours(), date.getMinutes(), ...(withSeconds ? [date.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/**
 * Text of others without the marks that change the direction of the text around them, for places
 * that cannot isolate their text: titles, labels, and sentences with names in them.
 */
export function plain(text: string): string {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}
