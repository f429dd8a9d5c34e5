/** The data of a report: what the monitoring page knows at the end of a run, and more. */

import type { HistoryData, Snapshot } from '../monitor/data.ts';

export interface ReportData {
  ingredients: Ingredients;
  summary: Summary;
  /** The last state of the run. */
  snapshot: Snapshot;
  history: HistoryData;
  /** Where the time of the cores was lost, the greatest part first. */
  idle: LostTime[];
  /** The times between which each device was connected, by the device's id. */
  stays: { [id: string]: [number, number][] };
}

/** What a run was made of. */
export interface Ingredients {
  /** The hash of the function; empty for a program. */
  function: string;
  /** The engine of the master's own cores; empty if they cannot compute. */
  engine: string;
  /** The system of the master. */
  system: string;
}

/** The content of the file of `--summary`. */
export interface Summary {
  /** The exit status. */
  status: number;
  /** How to go on, in words; empty if nothing is left to do. */
  advice: string;
  items: number;
  computed: number;
  /** Items with a result of an earlier run. */
  earlier: number;
  seconds: number;
  perSecond: number;
  computeSeconds: number;
  /** The time for which cores were lent, summed over the cores. */
  coreSeconds: number;
  /** The part of this time for which the cores computed nothing that has ended. */
  idleCoreSeconds: number;
  timesOneCore: number;
  failed: number;
  /** The numbers of the first items that failed. */
  failedItems: number[];
  failedAttempts: number;
  lentAgain: number;
  copies: number;
}

export type IdleCause =
  'input' | 'reader' | 'order' | 'end' | 'aside' | 'failures' | 'devices' | 'confirm' | 'network';

export interface LostTime {
  cause: IdleCause;
  /** Seconds, summed over the cores. */
  seconds: number;
}
