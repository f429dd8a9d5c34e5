/** One call of f, and the context which a default export receives as its second argument. */

import type { LogLevel } from '../messages.ts';
import type { Loan } from '../frames.ts';

export class Call {
  settled = false;
  /** Whether the callback was called or the call is settled. Any later answer is ignored. */
  answered = false;
  /**
   * Whether the call timed out or its answer is no longer needed. A late answer is ignored
   * without a warning.
   */
  forgotten = false;
  /** Whether the call returned without an answer, and the core waits for the answer. */
  open = false;
  timer: unknown = null;
  abortable: AbortController | null = null;

  constructor(
    readonly id: number,
    readonly loan: Loan,
    readonly attempt: number,
    /** Start of the call on the core's clock, in milliseconds. */
    readonly startedAt: number,
  ) {}
}

export interface ContextHost {
  report(report: unknown, id?: number): void;
  log(level: LogLevel, args: unknown[], id?: number): unknown;
}

/** Symbol keys, which JSON and loops over the context's members skip. */
const HOST = Symbol('host');
const CALL = Symbol('call');

/**
 * The `context` of `(x, context)`. Each member is created at its first use, so that a quick f has
 * no cost from unused members.
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
