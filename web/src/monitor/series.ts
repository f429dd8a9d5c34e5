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
  const shown = new Set(ids);
  const sums: number[] = samples.map(() => 0);
  const part = (rateOf: (sample: HistorySample) => number) =>
    samples.map((sample, at) => (sums[at] += rateOf(sample)));
  const edges = ids.map((id) => part((sample) => sample.byDevice[id] || 0));
  const others = (sample: HistorySample) =>
    sum(
      Object.keys(sample.byDevice).filter((id) => !shown.has(id)),
      sample,
    );
  if (samples.some((sample) => others(sample) > 0)) {
    ids.push('');
    edges.push(part(others));
  }
  return { times: samples.map(({ time }) => time), ids, edges };
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

function sum(ids: string[], sample: HistorySample): number {
  return ids.reduce((total, id) => total + sample.byDevice[id], 0);
}
