/** What the page, the link worker and the compute workers say to each other, besides what passes on the cores' ports. */

import type { LogEntry } from './messages.ts';

export type ToWorker = { type: 'join'; port: MessagePort; version: string };

/** The same for a core in the page, whose script leaves this behind as `__pandoJoin`. */
export type Join = (port: MessagePort, version: string) => void;

export type ToLink =
  | { type: 'start'; url: string; page: string; token: string; device: string; name: string; cores: number; function: string; dom: boolean }
  /** A core was made; what passes on its port is said in `messages.ts`. */
  | { type: 'core'; core: number; port: MessagePort }
  /** A core's worker could not be started, or ended by itself. */
  | { type: 'died'; core: number; message: string }
  | { type: 'update'; name?: string; cores?: number }
  | { type: 'leave' }
  /** The page goes away or is frozen: everything is handed back at once. */
  | { type: 'hide' }
  /** The page is back. */
  | { type: 'rejoin' }
  /** The network or the person is back: no reason to wait longer. */
  | { type: 'wake' };

/** What the link is at. */
export type Phase = 'connecting' | 'joined' | 'waiting' | 'away' | 'left' | 'done' | 'ended' | 'refused' | 'gone' | 'broken';

export interface Account {
  phase: Phase;
  /** A sentence for the person, where the phase alone does not say it. */
  text: string;
  done: number;
  errors: number;
  held: number;
  /** Cores computing now. */
  busy: number;
}

export type FromLink =
  | { type: 'account'; account: Account }
  | { type: 'log'; entries: LogEntry[] }
  /** Make one more core. */
  | { type: 'make'; core: number }
  /** End the core's worker. */
  | { type: 'end'; core: number }
  /** The job has another function than this page. */
  | { type: 'reload'; function: string };
