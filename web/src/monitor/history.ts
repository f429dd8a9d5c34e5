/** The history of a run in bounded memory, by the same rules as in the master. */

import type { HistoryData, HistorySample } from './data.ts';

/** The most samples that are kept. */
export const MOST_SAMPLES = 600;

/** The history with one more sample. */
export function withSample(history: HistoryData, sample: HistorySample): HistoryData {
  const { interval, samples } = history;
  const last = samples[samples.length - 1];
  // A sample that was seen before comes again after a new connection.
  if (last && sample.time <= last.time) return history;
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
  const merged: HistorySample[] = [];
  for (let at = 0; at < samples.length; at += 2) {
    const [first, second] = [samples[at], samples[at + 1]];
    merged.push(second ? mergedPair(first, second) : first);
  }
  return merged;
}

/** Rates and levels become their mean; counts are those of the later sample. */
function mergedPair(first: HistorySample, second: HistorySample): HistorySample {
  const mean = (of: (sample: HistorySample) => number) => (of(first) + of(second)) / 2;
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
    byDevice,
  };
}
