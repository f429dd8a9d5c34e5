/** What the page, the link worker and the compute workers say to each other, besides what passes on the cores' ports. */

import type { Transport } from './link/transports.ts';
import type { Farewell, LogEntry, Path } from './messages.ts';

/** To a compute worker, or a core in the page. */
export interface Join {
  type: 'join';
  /** What passes on it is said in `messages.ts`. */
  port: MessagePort;
  version: string;
  /** The address of the function. */
  script: string;
  /** The function itself, where a core cannot fetch it. */
  text?: string;
}

export interface Start {
  type: 'start';
  /** The folder of the page. */
  page: string;
  transports: Transport[];
  /** The page is a relay's. */
  relay: boolean;
  token: string;
  device: string;
  name: string;
  cores: number;
  function: string;
  dom: boolean;
  /** The page was loaded again, and has not joined since. */
  reloaded?: boolean;
}

export type ToLink =
  | Start
  /** A core was made. */
  | { type: 'core'; core: number; port: MessagePort }
  /** A core's worker could not be started, or ended by itself. */
  | { type: 'died'; core: number; message: string }
  | { type: 'update'; name?: string; cores?: number }
  | { type: 'leave' }
  /** The page goes away or is frozen: everything is handed back at once. */
  | { type: 'hide'; reason: Farewell }
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
  /** How the channel reaches the master, where that is worth a word. */
  path?: Path;
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
  | { type: 'reload'; function: string }
  /** Make a peer connection, and be its end on this port. */
  | { type: 'dial'; signal: string; turn: boolean; port: MessagePort };

/** To the page's end of a peer connection: pieces of a frame, or what became of the data channel. */
export type ToPeer = ArrayBuffer | 'opened' | 'end';

export type FromPeer =
  /** The data channel, where it can leave the page. */
  | { type: 'channel'; channel: RTCDataChannel }
  | { type: 'open'; path: Path }
  /** `gone`: how many of the bytes that the link gave have left the data channel, in all. */
  | { type: 'pieces'; pieces: ArrayBuffer[]; gone: number }
  /** `text`: why, where somebody said it. */
  | { type: 'closed'; text: string };
