/** The figures of the plots, from the history. */

import type { HistorySample } from './data.ts';

/** The most devices with a part of the plot for themselves. */
export const MOST_PARTS = 12;
/** The least share of all items with a part of its own: a thinner part is not seen. */
const LEAST_SHARE = 0.005;

/** Throughput over time in parts that lie on each other. */
export interface StackedRates {
  times: number[];
  /** The ids of the parts from the lowest to the highest; the empty id is the other devices. */
  ids: string[];
  /** For each part, its rate at each time. */
  rates: number[][];
  /** For each part, its upper edge at each time. */
  edges: number[][];
}

/**
 * Stacks the rates of the devices. The devices with most items in the whole history have parts of
 * their own, in the order of their ids, unless these are too thin; all others together are the
 * uppermost part.
 */
export function stackedRates(samples: HistorySample[]): StackedRates {
  const ids = shownDevices(samples);
  const shown = new Set(ids);
  const others = samples.map(({ byDevice }) => sumWithout(shown, byDevice));
  const sums = samples.map(() => 0);
  const rates = ids.map((id) => samples.map(({ byDevice }) => byDevice[id] || 0));
  if (others.some((rate) => rate > 0)) {
    ids.push('');
    rates.push(others);
  }
  const edges = rates.map((part) => part.map((rate, at) => (sums[at] += rate)));
  return { times: samples.map(({ time }) => time), ids, rates, edges };
}

/** The sum of the rates of all devices that are not in `shown`. */
function sumWithout(shown: Set<string>, byDevice: HistorySample['byDevice']): number {
  let sum = 0;
  for (const id in byDevice) if (!shown.has(id)) sum += byDevice[id];
  return sum;
}

function shownDevices(samples: HistorySample[]): string[] {
  const totals = new Map<string, number>();
  let all = 0;
  for (const { byDevice } of samples) {
    for (const id in byDevice) {
      all += byDevice[id];
      if (id !== '' && byDevice[id] > 0) totals.set(id, (totals.get(id) || 0) + byDevice[id]);
    }
  }
  const present = samples[samples.length - 1];
  const isSeen = ([id, total]: [string, number]) =>
    total >= LEAST_SHARE * all || present.byDevice[id] >= LEAST_SHARE * present.perSecond;
  const largest = [...totals].filter(isSeen).sort((a, b) => b[1] - a[1]);
  return largest
    .slice(0, MOST_PARTS)
    .map(([id]) => id)
    .sort(compareIds);
}

/** The name of the part of a device. */
export function partName(id: string, names: Map<string, string>, ids: string[]): string {
  if (id === '') return ids.length === 1 ? 'all devices' : 'other devices';
  return names.get(id) || 'a device that has left';
}

/** Numbers in their order, then all other ids. */
export function compareIds(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0);
}
