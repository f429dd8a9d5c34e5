/**
 * The data that a master gives to its monitoring page and to its report. Durations are in seconds,
 * points in time are Unix times with fractions, and items are numbered from 1.
 */

/** The whole state of a run at one moment. */
export interface Snapshot {
  version: string;
  title: string;
  /** The person who asks for help; empty if not given. */
  from: string;
  command: string;
  /** The picture whose tiles are the results, if the results are tiles. */
  mosaic?: Mosaic;
  /** The addresses for volunteers, the best one first. */
  volunteerUrls: string[];
  now: number;
  started: number;
  elapsed: number;
  state: 'running' | 'finishing' | 'finished';
  /** How the run ended, in one sentence. */
  exitWords: string;
  /** Why nothing is computed, in one sentence; empty while values are computed. */
  why: string;
  progress: Progress;
  window: WindowFigures;
  failures: Failures;
  devices: DeviceFigures[];
  /** The newest lines that the function printed; the newest line is the last one. */
  prints: PrintedLine[];
}

/** A picture in equal tiles; the items are its tiles, row by row. */
export interface Mosaic {
  columns: number;
  rows: number;
}

export interface Progress {
  done: number;
  /** Results computed in this run. */
  computed: number;
  total: number | null;
  totalIsCertain: boolean;
  perSecond: number;
  secondsLeft: number | null;
}

/** Where the items between input and output are. */
export interface WindowFigures {
  read: number;
  output: number;
  inProgress: number;
  /** The number of results that wait for the result of an earlier item. */
  waiting: number;
  limit: number;
  blockedBy: { item: number; device: string; seconds: number } | null;
}

export interface Failures {
  /** The number of items that failed for good. */
  items: number;
  attempts: number;
  lentAgain: number;
  copies: number;
  /** The newest failed attempts; the newest attempt is the last one. */
  last: FailedAttempt[];
}

export interface FailedAttempt {
  /** The number of this failed attempt among all failed attempts of the run. */
  number: number;
  time: number;
  item: number;
  input: string;
  device: string;
  message: string;
  stack: string;
}

export type Health =
  'working' | 'stalled' | 'suspect' | 'unfit' | 'unresponsive' | 'paused' | 'gone';

export interface DeviceFigures {
  id: string;
  name: string;
  kind: 'browser' | 'cores';
  /** The browser and its system in words; may be empty. */
  browser: string;
  path: string;
  connected: boolean;
  cores: number;
  /** The number of cores that may compute for this run. */
  lent: number;
  computing: number;
  queued: number;
  items: number;
  /** The share of all items, from 0 to 1. */
  share: number;
  perSecond: number;
  meanSeconds: number | null;
  deviationSeconds: number | null;
  roundTripSeconds: number | null;
  bytesIn: number;
  bytesOut: number;
  failedAttempts: number;
  /** The share of the time of its lent cores that was spent on calls, from 0 to 1. */
  busy: number;
  since: number;
  health: Health;
  /** The health as a sentence or a few words. */
  words: string;
  reports: Reports[];
}

/** The sums of what the function reported on a device. */
export interface Reports {
  units: string;
  items: number;
  cpuTime: number;
  dataTransferTime: number;
}

export interface PrintedLine {
  /** The number of this line among all lines of the run. */
  number: number;
  time: number;
  device: string;
  item: number | null;
  level: string;
  text: string;
  /** How many times the line was printed in a row. */
  count: number;
}

/** The figures of one interval of the history. */
export interface HistorySample {
  time: number;
  done: number;
  perSecond: number;
  busyCores: number;
  cores: number;
  inProgress: number;
  waiting: number;
  failedAttempts: number;
  /** Items per second by device; the empty id stands for all other devices together. */
  byDevice: { [id: string]: number };
}

export interface HistoryData {
  /** Seconds between two samples. */
  interval: number;
  samples: HistorySample[];
}

/** One result, for people who look at results while they come. */
export interface ShownResult {
  item: number;
  /** The id of the device that computed the result. */
  device: string;
  kind: 'number' | 'image' | 'text';
  value: number | string;
}

/** What the owner of the run asks for. */
export type Action =
  | { action: 'pause' | 'resume' | 'remove'; device: string }
  | { action: 'cores'; device: string; cores: number }
  | { action: 'finish' | 'stop' };
