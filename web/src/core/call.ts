/** One call of f, and the context that a default export receives with it. */

import type { LogLevel } from '../messages.ts';
import type { Loan } from '../protocol.ts';

export class Call {
  settled = false;
  /** The callback was called, or the call is settled: nothing else is its answer. */
  answered = false;
  /** Out of time, or no longer waited for: an answer that comes after all is ignored without a word. */
  forgotten = false;
  /** Whether the call outlived its own stack: it waits for an answer to come. */
  open = false;
  timer: unknown = null;
  abortable: AbortController | null = null;

  constructor(
    readonly id: number,
    readonly loan: Loan,
    readonly attempt: number,
    /** Milliseconds, by the core's clock. */
    readonly startedAt: number,
  ) {}
}

export interface ContextHost {
  report(report: unknown, id?: number): void;
  log(level: LogLevel, args: unknown[], id?: number): unknown;
}

/** Keys that neither JSON nor a loop over the context's members shows. */
const HOST = Symbol('host');
const CALL = Symbol('call');

/**
 * `context` of `(x, context)`: members are made when they are asked for, so that a quick f does not pay for them.
 *
 * @spoken by functions
 */
export class Context {
  readonly index: number;
  readonly attempt: number;
  private readonly [HOST]: ContextHost;
  private readonly [CALL]: Call;

  constructor(host: ContextHost, call: Call) {
    this.index = call.id + 1;
    this.attempt = call.attempt + 1;
    this[HOST] = host;
    this[CALL] = call;
  }

  get signal(): unknown {
    const call = this[CALL];
    if (!call.abortable) {
      call.abortable = new AbortController();
      if (call.forgotten) call.abortable.abort();
    }
    return call.abortable.signal;
  }

  get report(): (report: unknown) => void {
    return (report) => this[HOST].report(report, this[CALL].id);
  }

  get log(): (...args: unknown[]) => void {
    return (...args) => void this[HOST].log('log', args, this[CALL].id);
  }
}
