/** The figures of the plots, from the history. */

import type { HistorySample } from './data.ts';

/** The most devices with a part of the plot for themselves. */
export const MOST_PARTS = 12;

/** Throughput over time in parts that lie on each other. */
export interface StackedRates {
  times: number[];
  /** The ids of the parts from the lowest to the highest; the empty id is the other devices. */
  ids: string[];
  /** For each part, its upper edge at each time. */
  edges: number[][];
}

/**
 * Stacks the rates of the devices. The devices with most items in the whole history have parts of
 * their own, in the order of their ids; all others together are the uppermost part.
 */
export function stackedRates(samples: HistorySample[]): StackedRates {
  const ids = shownDevices(samples);
  if (samples.some((sample) => otherRate(ids, sample) > 0)) ids.push('');
  const sums: number[] = samples.map(() => 0);
  const edges = ids.map(() => samples.map(() => 0));
  samples.forEach((sample, at) =>
    partRates(ids, sample).forEach((rate, part) => (edges[part][at] = sums[at] += rate)),
  );
  return { times: samples.map(({ time }) => time), ids, edges };
}

/** The rates of these parts in one sample. */
export function partRates(ids: string[], sample: HistorySample): number[] {
  return ids.map((id) => (id === '' ? otherRate(ids, sample) : sample.byDevice[id] || 0));
}

/** The rate of all devices that have no part for themselves. */
function otherRate(ids: string[], { byDevice }: HistorySample): number {
  const shown = new Set(ids.filter((id) => id !== ''));
  return Object.keys(byDevice)
    .filter((id) => !shown.has(id))
    .reduce((sum, id) => sum + byDevice[id], 0);
}

function shownDevices(samples: HistorySample[]): string[] {
  const totals = new Map<string, number>();
  for (const { byDevice } of samples) {
    for (const id of Object.keys(byDevice)) {
      if (id !== '' && byDevice[id] > 0) totals.set(id, (totals.get(id) || 0) + byDevice[id]);
    }
  }
  const largest = [...totals].sort((a, b) => b[1] - a[1]).slice(0, MOST_PARTS);
  return largest.map(([id]) => id).sort(compareIds);
}

/** Numbers in their order, then all other ids. */
export function compareIds(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0);
}
