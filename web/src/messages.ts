/** All JSON messages: between master and volunteer, and between the parts of a device. */

import { Malformed } from './bytes.ts';
import type { Loan } from './frames.ts';

export interface JobOptions {
  /** Most open calls of an asynchronous f per core. */
  concurrency: number;
  /** Longest duration of a call in milliseconds, or null. */
  timeout: number | null;
  dom: boolean;
  json: boolean;
  /** Milliseconds of silence until a ping is sent. */
  heartbeat: number;
}

export type MasterByeReason = 'done' | 'version' | 'refused' | 'protocol' | 'stopped' | 'replaced';
export type LogLevel = 'log' | 'info' | 'warn' | 'error' | 'debug';

export interface LogEntry {
  level: LogLevel;
  text: string;
  id?: number;
  /** The number of times that the text was printed, if more than once. */
  count?: number;
}

export interface Welcome {
  type: 'welcome';
  version: number;
  job: string;
  /** Hash of the function. */
  function: string;
  options: JobOptions;
  /** The loans of the hello which the device may keep. */
  keep: Loan[];
  /** The number of items of the run, if the master knows it. */
  items?: number;
  /** The program of a run that only native volunteers can join. */
  program?: JobProgram;
}

export interface JobProgram {
  command: string;
  null: boolean;
  files: boolean;
}

/** The content of a ping, which the pong repeats. */
export interface Beat {
  t: number;
}

export type ToVolunteer =
  | Welcome
  | { type: 'recall'; ids: Loan[] }
  /** `items`: the number of items of a run that is done. */
  | { type: 'bye'; reason: MasterByeReason; text: string; items?: number }
  | ({ type: 'ping' } & Beat)
  | ({ type: 'pong' } & Beat);

export interface Hello {
  type: 'hello';
  version: number;
  token: string;
  device: string;
  name: string;
  cores: number;
  job?: string;
  holds: Loan[];
  kind: 'browser' | 'native';
  /** The route to the master, if it is not a plain WebSocket. */
  path?: Path;
  /** Whether the page was loaded again just now. */
  reloaded?: boolean;
}

/** `hidden`: the page may come back. */
export type VolunteerByeReason = 'left' | 'hidden';

export type Path = 'websocket' | 'direct' | 'turn' | 'relay';

export type Report = { type: 'report'; id?: number; report: unknown };
export type Log = { type: 'log'; entries: LogEntry[] };

/** A call in progress, and its duration so far in milliseconds. */
export interface Running {
  id: Loan;
  ms: number;
}

export type ToMaster =
  | Hello
  | { type: 'update'; name?: string; cores?: number }
  /**
   * `loading`: milliseconds for which values have waited because no core has loaded the function.
   */
  | { type: 'started'; items: Running[]; loading?: number }
  | { type: 'returned'; ids: Loan[]; careful?: true }
  | Log
  | Report
  | { type: 'broken'; message: string; stack?: string }
  | { type: 'bye'; reason: VolunteerByeReason }
  | ({ type: 'ping' } & Beat)
  | ({ type: 'pong' } & Beat);

/** The part of the job's options which a core needs. */
export interface CoreOptions {
  concurrency: number;
  timeout: number | null;
  json: boolean;
  /** Whether the core is a page. */
  dom?: boolean;
}

export type ToCore =
  | { type: 'init'; options: CoreOptions; code?: string; parent?: number }
  /** Nobody needs the answers of the open calls any more. */
  | { type: 'forget' };

export type CoreMessage =
  /** The core runs, and waits for the function. Only cores in processes of their own say so. */
  | { type: 'booted' }
  | { type: 'ready' }
  | { type: 'broken'; message: string; stack?: string }
  | { type: 'started'; id: Loan }
  /**
   * After an uncaught error, another core must take over. `careful`: any of the open calls may
   * have thrown the error.
   */
  | { type: 'spoiled'; careful: boolean }
  | Log
  | Report;

/** The JSON forms of a loan. */
const LOAN = /^(\d+|"\d+:\d+")$/;

/** Parses a text frame from the master; throws `Malformed` for an unknown message. */
export function parseToVolunteer(text: string): ToVolunteer {
  const message = parseObject(text);
  switch (message.type) {
    case 'welcome':
      return welcome(message);
    case 'recall':
      return { type: 'recall', ids: ids(message.ids) };
    case 'bye':
      string(message.reason);
      string(message.text);
      return withItems(message) as ToVolunteer;
    case 'ping':
    case 'pong':
      return { type: message.type, t: number(message.t) };
    default:
      return checked(message, false);
  }
}

function welcome(message: Record<string, unknown>): Welcome {
  const options = object(message.options);
  number(message.version);
  string(message.job);
  string(message.function);
  ids(message.keep);
  return {
    ...(withItems(message) as unknown as Welcome),
    options: {
      concurrency: Math.max(1, number(options.concurrency)),
      timeout:
        options.timeout === null || options.timeout === undefined ? null : number(options.timeout),
      dom: options.dom === true,
      json: options.json === true,
      heartbeat: Math.max(1, number(options.heartbeat)),
    },
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return object(JSON.parse(text));
  } catch {
    return checked(text, false);
  }
}

function object(value: unknown): Record<string, unknown> {
  return checked(value, typeof value === 'object' && value !== null && !Array.isArray(value));
}

function string(value: unknown): string {
  return checked(value, typeof value === 'string');
}

function number(value: unknown): number {
  return checked(value, typeof value === 'number');
}

/** The message, whose field `items` is a number or missing. */
function withItems(message: Record<string, unknown>): Record<string, unknown> {
  if (message.items !== undefined) number(message.items);
  return message;
}

function ids(value: unknown): Loan[] {
  return checked<unknown[]>(value, Array.isArray(value)).map((id) =>
    checked(id, LOAN.test(JSON.stringify(id))),
  );
}

function checked<T>(value: unknown, isRight: boolean): T {
  if (!isRight) throw new Malformed('a message that is not as agreed');
  return value as T;
}
