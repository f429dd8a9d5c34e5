/**
 * The messages between the page, the link worker and the compute workers, except the messages on
 * the ports of cores.
 */

import type { Transport } from './link/transports.ts';
import type { LogEntry, Path, VolunteerByeReason } from './messages.ts';

/** The first message to a compute worker, or to a core in the page. */
export interface Join {
  type: 'join';
  /** The port for the core's messages; `messages.ts` has their types. */
  port: MessagePort;
  version: string;
  /** The address of the function. */
  script: string;
  /** The source of the function, for a core that cannot fetch the address. */
  text?: string;
}

/** What the page says to the link. Numbers keep the script of the page short. */
export const enum Order {
  Start,
  Core,
  Died,
  Update,
  Leave,
  Hide,
  Rejoin,
  Wake,
}

/** What the link says to the page. */
export const enum News {
  Status,
  Log,
  Make,
  End,
  Reload,
  Dial,
}

export interface Start {
  type: Order.Start;
  /** The address of the page's folder. */
  page: string;
  transports: Transport[];
  /** Whether a relay serves the page. */
  relay: boolean;
  token: string;
  device: string;
  name: string;
  cores: number;
  function: string;
  dom: boolean;
  /** Whether the page was loaded again and has not joined since. */
  reloaded?: boolean;
}

export type ToLink =
  | Start
  /** A core was made. */
  | { type: Order.Core; core: number; port: MessagePort }
  /** A core's worker could not start, or ended unexpectedly. */
  | { type: Order.Died; core: number; message: string }
  | { type: Order.Update; name?: string; cores?: number }
  | { type: Order.Leave }
  /** The page closes or freezes, so the link returns all values at once. */
  | { type: Order.Hide; reason: VolunteerByeReason }
  /** The page is visible again. */
  | { type: Order.Rejoin }
  /** The network or the person is back, so the link tries at once instead of waiting. */
  | { type: Order.Wake };

/**
 * The state of the link. Numbers keep the script of the page short. Up to `Missing`, the link has a
 * connection or tries to have one.
 */
export const enum Phase {
  Connecting,
  Joined,
  /** The connection is lost; another attempt follows. */
  Waiting,
  /** The relay waits for the master. */
  Missing,
  Away,
  Left,
  Done,
  Ended,
  Refused,
  OtherVersion,
  OtherFunction,
  Gone,
  Broken,
}

export interface LinkStatus {
  phase: Phase;
  /** A sentence of the master or the browser, if the phase alone does not explain the state. */
  text: string;
  /** The route to the master, if the person should see the route. */
  path?: Path;
  done: number;
  errors: number;
  held: number;
  /** The number of cores with values. */
  busy: number;
  /** The number of values that went to other devices while the page was away. */
  lost: number;
  /** The number of all items of the run, as far as the master knows. */
  items?: number;
}

export type FromLink =
  | { type: News.Status; status: LinkStatus }
  | { type: News.Log; entries: LogEntry[] }
  /** The page should make one more core. */
  | { type: News.Make; core: number }
  /** The page should end the core's worker. */
  | { type: News.End; core: number }
  /** The job has another function than this page. */
  | { type: News.Reload; function: string }
  /** The page should open a peer connection, and serve its channel on `port`. */
  | { type: News.Dial; signal: string; turn: boolean; port: MessagePort };

/**
 * Messages to the page's end of a peer connection: the pieces of a frame, or the state of a
 * transferred data channel.
 */
export type ToPeer = ArrayBuffer | 'opened' | 'end';

export type FromPeer =
  /** The data channel, in browsers that can transfer data channels. */
  | { type: 'channel'; channel: RTCDataChannel }
  | { type: 'open'; path: Path }
  /** `gone`: the total number of bytes from the link which have left the data channel. */
  | { type: 'pieces'; pieces: ArrayBuffer[]; gone: number }
  /** `text`: the reason, if there is one. */
  | { type: 'closed'; text: string };
