/** The columns of the table of devices: their titles, texts and order. */

import type { DeviceFigures } from './data.ts';
import {
  bytes,
  duration,
  meanAndDeviation,
  percent,
  plain,
  precise,
  rate,
  whole,
} from './format.ts';

export interface Column {
  key: string;
  title: string;
  /** What the figures mean, for a person who points at the title. */
  hint: string;
  isNumber: boolean;
  /** The value that decides the order of two devices. */
  order: (device: DeviceFigures) => number | string | null;
  /** The text of the cell. `now` is the time of the snapshot. */
  text: (device: DeviceFigures, now: number) => string;
}

/** The ways of the messages between master and device. */
const WAYS: { [path: string]: string } = {
  local: 'this machine',
  websocket: 'network',
  direct: 'direct',
  turn: 'TURN server',
  relay: 'relay',
};

const COLUMNS: Column[] = [
  text('name', 'Device', 'The name that the device gave itself', (d) => d.name || 'Other devices'),
  text('health', 'State', 'How the device is', (d) => d.words),
  text('kind', 'Kind', 'The browser, or the cores of a machine', kindText),
  text('way', 'Way', 'How the device is connected', (d) => WAYS[d.path] || d.path),
  number('cores', 'Cores', 'Cores lent to this run', (d) => d.lent, coresText),
  number('computing', 'Computing', 'Values in computation now', (d) => d.computing, ofComputing),
  number(
    'queued',
    'Queued',
    'Values at the device that wait for a core',
    (d) => d.queued,
    (d) => whole(d.queued),
  ),
  number(
    'items',
    'Items',
    'Results so far',
    (d) => d.items,
    (d) => whole(d.items),
  ),
  number(
    'share',
    'Share',
    'Share of all results',
    (d) => d.share,
    (d) => percent(d.share),
  ),
  number(
    'rate',
    'Items/s',
    'Results per second now',
    (d) => d.perSecond,
    (d) => rate(d.perSecond),
  ),
  number(
    'mean',
    'Per item',
    'Time of one call: mean ± deviation',
    (d) => d.meanSeconds,
    (d) => meanAndDeviation(d.meanSeconds, d.deviationSeconds),
  ),
  number(
    'roundTrip',
    'Round trip',
    'Time of a message to the device and back',
    (d) => d.roundTripSeconds,
    (d) => precise(d.roundTripSeconds),
  ),
  number(
    'bytes',
    'Data',
    'Bytes from the device (↓) and to the device (↑)',
    (d) => d.bytesIn + d.bytesOut,
    (d) => `↓\u00a0${bytes(d.bytesIn)} ↑\u00a0${bytes(d.bytesOut)}`,
  ),
  number(
    'failures',
    'Failures',
    'Failed attempts',
    (d) => d.failedAttempts,
    (d) => whole(d.failedAttempts),
  ),
  number(
    'since',
    'Here for',
    'Time since the device joined',
    (d) => -d.since,
    (d, now) => duration(now - d.since),
  ),
];

const REPORTED = number(
  'reported',
  'Reported',
  'The sum of what the function reported',
  (d) => d.reports[0]?.items ?? null,
  ({ reports }) =>
    reports.map(({ items, units }) => `${rate(items)} ${plain(units)}`.trim()).join(', '),
);

/** The columns for these devices: what functions report has a column only if one reports. */
export function columnsFor(devices: DeviceFigures[]): Column[] {
  return devices.some(({ reports }) => reports.length > 0) ? [...COLUMNS, REPORTED] : COLUMNS;
}

export function columnOf(key: string): Column {
  return [...COLUMNS, REPORTED].find((column) => column.key === key) || COLUMNS[0];
}

function text(
  key: string,
  title: string,
  hint: string,
  of: (device: DeviceFigures) => string,
): Column {
  const order = (device: DeviceFigures) => of(device).toLowerCase();
  return { key, title, hint, isNumber: false, order, text: of };
}

function number(
  key: string,
  title: string,
  hint: string,
  order: Column['order'],
  of: Column['text'],
): Column {
  return { key, title, hint, isNumber: true, order, text: of };
}

function kindText({ kind, browser }: DeviceFigures): string {
  return kind === 'cores' ? 'Cores of a machine' : plain(browser) || 'Browser';
}

function coresText({ lent, cores }: DeviceFigures): string {
  return lent === cores ? whole(cores) : `${whole(lent)} of ${whole(cores)}`;
}

function ofComputing({ computing }: DeviceFigures): string {
  return whole(computing);
}
