/** The history of a run in bounded memory, by the same rules as in the master. */

import type { HistoryData, HistorySample } from './data.ts';

/** The most samples that are kept. */
export const MOST_SAMPLES = 600;

/** The most devices that a sample tells apart. */
export const MOST_DEVICES = 30;

/** Samples come once a second, up to so many seconds late. */
const LATE = 0.5;

/**
 * The history with one more sample. A sample of less than the history's interval becomes part of
 * the last sample, until that one covers the whole interval.
 */
export function withSample(history: HistoryData, sample: HistorySample): HistoryData {
  const { interval, samples } = history;
  const [before, last] = samples.slice(-2);
  const newest = last || before;
  // A sample that was seen before comes again after a new connection.
  if (newest && sample.time <= newest.time) return history;
  if (last && sample.time - before.time < interval + LATE) {
    const share = (last.time - before.time) / (sample.time - before.time);
    return { interval, samples: [...samples.slice(0, -1), merged(last, sample, share)] };
  }
  return bounded({ interval, samples: [...samples, sample] });
}

/** The history with at most the samples allowed: neighbours are merged while there are more. */
export function bounded(history: HistoryData): HistoryData {
  let { interval, samples } = history;
  while (samples.length > MOST_SAMPLES) {
    samples = halved(samples);
    interval *= 2;
  }
  return { interval, samples };
}

function halved(samples: HistorySample[]): HistorySample[] {
  const half: HistorySample[] = [];
  for (let at = 0; at < samples.length; at += 2) {
    const [first, second] = [samples[at], samples[at + 1]];
    half.push(second ? merged(first, second, 0.5) : first);
  }
  return half;
}

/**
 * Two neighbours as one sample: rates and levels become their mean; counts are those of the later
 * sample. `share` is the first sample's share of the time, from 0 to 1.
 */
function merged(first: HistorySample, second: HistorySample, share: number): HistorySample {
  const mean = (of: (sample: HistorySample) => number) =>
    of(first) * share + of(second) * (1 - share);
  const byDevice: { [id: string]: number } = {};
  for (const id of new Set([...Object.keys(first.byDevice), ...Object.keys(second.byDevice)])) {
    byDevice[id] = mean((sample) => sample.byDevice[id] || 0);
  }
  return {
    time: second.time,
    done: second.done,
    failedAttempts: second.failedAttempts,
    perSecond: mean((sample) => sample.perSecond),
    busyCores: mean((sample) => sample.busyCores),
    cores: mean((sample) => sample.cores),
    inProgress: mean((sample) => sample.inProgress),
    waiting: mean((sample) => sample.waiting),
    byDevice: few(byDevice),
  };
}

/**
 * The rates with few devices told apart: those with the highest rates. Samples that are merged
 * often have different devices.
 */
function few(rates: { [id: string]: number }): { [id: string]: number } {
  const devices = Object.keys(rates).filter((id) => id !== '');
  if (devices.length <= MOST_DEVICES) return rates;
  const kept: { [id: string]: number } = { '': rates[''] || 0 };
  devices.sort((a, b) => rates[b] - rates[a]);
  devices.forEach((id, place) => {
    kept[place < MOST_DEVICES ? id : ''] = (place < MOST_DEVICES ? 0 : kept['']) + rates[id];
  });
  return kept;
}
