/** A host for a core, with a virtual clock. */

import { Core } from '../src/core.ts';
import type { UserFunction } from '../src/core/function.ts';
import type { CoreMessage, CoreOptions, LogEntry } from '../src/messages.ts';
import { ResultsCursor, ValuesWriter } from '../src/frames.ts';
import type { Failure, Form, Loan } from '../src/frames.ts';

type Callback = (error: unknown, result: unknown) => void;
interface FunctionContext {
  index: number;
  attempt: number;
  signal: AbortSignal;
  report(report: unknown): void;
  log(...args: unknown[]): void;
}
export type InputValue = [
  id: Loan,
  value: string | Uint8Array,
  options?: { careful?: boolean; attempt?: number; form?: Form },
];

export const callback = (f: (x: unknown, cb: Callback) => unknown): UserFunction => ({
  call: f as UserFunction['call'],
  owner: undefined,
  style: 'callback',
});

export const byDefault = (f: (x: unknown, context: FunctionContext) => unknown): UserFunction => ({
  call: f as UserFunction['call'],
  owner: undefined,
  style: 'default',
});

export interface CoreResult {
  id: Loan;
  /** `text`, `bytes`, `json`, or `error` and the error's kind. */
  kind: string;
  micros: number;
  /** The result as text, or the error's message. */
  text: string;
}

export class FakeHost {
  readonly core: Core;
  readonly results: CoreResult[] = [];
  readonly frames: { count: number; length: number }[] = [];
  readonly logs: LogEntry[] = [];
  /** The length of each log message. */
  readonly logMessages: number[] = [];
  readonly reports: CoreMessage[] = [];
  /** Results and announcements in the order of posting. */
  readonly posted: string[] = [];
  private time = 1000;
  private timers: { at: number; run: () => void }[] = [];

  constructor(
    f: UserFunction,
    options: Partial<CoreOptions> = {},
    buffer?: typeof Buffer,
    infers = false,
  ) {
    this.core = new Core(
      {
        now: () => this.time,
        tick: () => Math.floor(this.time),
        post: (message) => this.post(message),
        results: (frame) => this.take(frame),
        awaitDrain: () => false,
        infersStart: infers,
        setTimer: (run, ms) => this.setTimer(run, ms),
        clearTimer: (timer) => (this.timers = this.timers.filter((other) => other !== timer)),
      },
      { concurrency: 1, timeout: null, json: false, ...options },
    );
    this.core.use(f, { exports: null, Buffer: buffer as never });
  }

  /** The answer of f to one value, once its promises have settled. */
  static async answerTo(f: UserFunction, options: Partial<CoreOptions> = {}): Promise<CoreResult> {
    const host = new FakeHost(f, options);
    host.values([[0, 'x']]);
    while (host.results.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return host.results[0];
  }

  values(values: InputValue[]): void {
    const writer = new ValuesWriter();
    for (const [id, value, { careful, attempt, form } = {}] of values) {
      if (typeof value === 'string') writer.textValue(id, value, form, careful, attempt);
      else writer.bytesValue(id, value, careful, attempt);
    }
    this.core.values(writer.take());
  }

  /** Advances the clock without running timers, as while f is busy. */
  advance(ms: number): void {
    this.time += ms;
  }

  /** Advances the clock and runs due timers. */
  run(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers.splice(this.timers.indexOf(next), 1);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }

  private setTimer(run: () => void, ms: number): unknown {
    // In every engine, a timer with too long a delay runs at once.
    const timer = { at: this.time + (ms < 2 ** 31 ? ms : 1), run };
    this.timers.push(timer);
    return timer;
  }

  private post(message: CoreMessage): void {
    if (message.type === 'started') this.posted.push(`started ${message.id}`);
    if (message.type === 'spoiled') this.posted.push(`spoiled ${message.careful}`);
    if (message.type === 'log') {
      this.logs.push(...message.entries);
      this.logMessages.push(JSON.stringify(message).length);
    }
    if (message.type === 'report') this.reports.push(message);
  }

  private take(frame: Uint8Array): void {
    const cursor = new ResultsCursor(frame);
    let count = 0;
    while (cursor.next()) {
      count++;
      const failure = cursor.tag === 3 ? (JSON.parse(cursor.text()) as Failure) : null;
      const kind = failure ? `error ${failure.kind}` : ['text', 'bytes', 'json'][cursor.tag];
      const text = failure ? failure.message : cursor.text();
      this.results.push({ id: cursor.loan, kind, micros: cursor.micros, text });
      this.posted.push(`${cursor.loan} ${kind} ${text}`);
    }
    this.frames.push({ count, length: frame.length });
  }
}
