/** The marks of the axes of plots. */

import { clock } from '../monitor/format.ts';

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];
const DAY = 86_400;

/** A mark of an axis: its place from 0 to 1, and its text. */
export interface Mark {
  place: number;
  text: string;
}

/** Marks at round local times between two moments, at most `most`. */
export function timeMarks(from: number, until: number, most = 6): Mark[] {
  const length = Math.max(until - from, 0.001);
  const step = STEPS.find((step) => length / step <= most) || Math.ceil(length / most / DAY) * DAY;
  const offset = new Date(from * 1000).getTimezoneOffset() * 60;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const marks: Mark[] = [];
  for (let time = first; time <= until; time += step) {
    marks.push({ place: (time - from) / length, text: moment(time, length, step < 60) });
  }
  return marks;
}

/** The local time of a moment, with the day if the run takes longer than a day. */
export function moment(time: number, length: number, withSeconds = true): string {
  if (length < DAY) return clock(time, withSeconds);
  const date = new Date(time * 1000);
  const day = [date.getMonth() + 1, date.getDate()];
  return `${day.map((part) => String(part).padStart(2, '0')).join('-')} ${clock(time, false)}`;
}

/** The local date and time of a moment. */
export function dateAndTime(time: number): string {
  const date = new Date(time * 1000);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${day.map((part) => String(part).padStart(2, '0')).join('-')} ${clock(time)}`;
}

/** A round number of at least `most`, and marks from 0 up to it. */
export function valueMarks(most: number, text: (n: number) => string): [number, Mark[]] {
  const rough = Math.max(most, 1e-9) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough)!;
  const count = Math.ceil(most / step - 1e-9) || 1;
  const marks = Array.from({ length: count + 1 }, (_, at) => ({
    place: at / count,
    text: text(at * step),
  }));
  return [count * step, marks];
}
