/** Everything that is said in JSON: between master and volunteer, and between the parts of a device. */

import { Malformed } from './bytes.ts';
import type { Loan } from './protocol.ts';

export interface JobOptions {
  /** Open calls of an asynchronous f per core. */
  concurrency: number;
  /** Milliseconds from the start of a call, or null. */
  timeout: number | null;
  dom: boolean;
  json: boolean;
  /** Milliseconds of silence after which a ping is sent. */
  heartbeat: number;
}

export type ByeReason = 'done' | 'version' | 'refused' | 'protocol' | 'stopped' | 'replaced';
export type LogLevel = 'log' | 'info' | 'warn' | 'error' | 'debug';

export interface LogEntry {
  level: LogLevel;
  text: string;
  id?: number;
  /** How often the same text came, when more than once. */
  count?: number;
}

export interface Welcome {
  type: 'welcome';
  version: number;
  job: string;
  /** Hash of the function. */
  function: string;
  options: JobOptions;
  /** Of what was held from before a lost link, that which may be kept. */
  keep: Loan[];
}

export type Beat = { type: 'ping'; t: number } | { type: 'pong'; t: number };

export type FromMaster =
  | Welcome
  | { type: 'recall'; ids: Loan[] }
  | { type: 'bye'; reason: ByeReason; text: string }
  | Beat;

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
  /** How the channel reaches the master, where it is not a plain WebSocket to it. */
  path?: Path;
  /** Its page was loaded again just now. */
  reloaded?: boolean;
}

/** `hidden`: the page may come back. */
export type Farewell = 'left' | 'hidden';

export type Path = 'websocket' | 'direct' | 'turn' | 'relay';

export type Report = { type: 'report'; id?: number; report: unknown };
export type Log = { type: 'log'; entries: LogEntry[] };

export type ToMaster =
  | Hello
  | { type: 'update'; name?: string; cores?: number }
  /** `loading`: for so many milliseconds no core has loaded the function, and values wait for that. */
  | { type: 'started'; items: { id: Loan; ms: number }[]; loading?: number }
  | { type: 'returned'; ids: Loan[]; careful?: true }
  | Log
  | Report
  | { type: 'broken'; message: string; stack?: string }
  | { type: 'bye'; reason: Farewell }
  | Beat;

/** What a core needs to know of the job. */
export interface CoreOptions {
  concurrency: number;
  timeout: number | null;
  json: boolean;
  /** It is a page. */
  dom?: boolean;
}

export type ToCore =
  | { type: 'init'; options: CoreOptions; code?: string; parent?: number }
  /** Nobody waits for the open calls any more. */
  | { type: 'forget' };

export type FromCore =
  | { type: 'ready' }
  | { type: 'broken'; message: string; stack?: string }
  | { type: 'started'; id: Loan }
  /** After an error that nobody caught another core is to go on. `careful`: any of the open calls may have thrown it. */
  | { type: 'spoiled'; careful: boolean }
  | Log
  | Report;

/** How JSON names a loan. */
const LOAN = /^(\d+|"\d+:\d+")$/;

/** Reads a text frame of the master; whatever is not one of its messages is malformed. */
export function parseFromMaster(text: string): FromMaster {
  const message = parseObject(text);
  switch (message.type) {
    case 'welcome':
      return welcome(message);
    case 'recall':
      return { type: 'recall', ids: ids(message.ids) };
    case 'bye':
      return { type: 'bye', reason: string(message.reason) as ByeReason, text: string(message.text) };
    case 'ping':
    case 'pong':
      return { type: message.type, t: number(message.t) };
    default:
      return agreed(message, false);
  }
}

function welcome(message: Record<string, unknown>): Welcome {
  const options = object(message.options);
  return {
    type: 'welcome',
    version: number(message.version),
    job: string(message.job),
    function: string(message.function),
    keep: ids(message.keep),
    options: {
      concurrency: Math.max(1, number(options.concurrency)),
      timeout: options.timeout === null || options.timeout === undefined ? null : number(options.timeout),
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
    return agreed(text, false);
  }
}

function object(value: unknown): Record<string, unknown> {
  return agreed(value, typeof value === 'object' && value !== null && !Array.isArray(value));
}

function string(value: unknown): string {
  return agreed(value, typeof value === 'string');
}

function number(value: unknown): number {
  return agreed(value, typeof value === 'number');
}

function ids(value: unknown): Loan[] {
  return agreed<unknown[]>(value, Array.isArray(value)).map((id) => agreed(id, LOAN.test(JSON.stringify(id))));
}

function agreed<T>(value: unknown, isRight: boolean): T {
  if (!isRight) throw new Malformed('a message that is not as agreed');
  return value as T;
}
