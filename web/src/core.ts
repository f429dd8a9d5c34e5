/**
 * A core: calls f with its values, one after the other or up to `concurrency` at once, and
 * collects the results. The same code runs in a worker of a tab, in a page with a DOM, and in a
 * child of Node. The core uses neither threads nor sockets; its host sends the core's messages.
 */

import { CallClock } from './core/clock.ts';
import { Call, Context } from './core/call.ts';
import { UnusableAnswer, bytesOf, bytesToCome, checkText, textOf } from './core/convert.ts';
import { format } from './core/format.ts';
import { Logs } from './core/logs.ts';
import { CallQueue } from './core/call-queue.ts';
import { failure, member } from './core/inspect.ts';
import { plainReport } from './core/report.ts';
import { timeoutMessage } from './core/timeout.ts';
import type { PandoModule, UserFunction } from './core/function.ts';
import type { CoreMessage, CoreOptions, LogLevel } from './messages.ts';
import {
  PART,
  RESULT_ERROR,
  RESULT_TEXT,
  ResultsWriter,
  bytesResultFrame,
  textResultFrame,
} from './frames.ts';
import type { ErrorKind } from './frames.ts';

export interface CoreHost {
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** A cheaper clock, in whole milliseconds. */
  readonly tick: () => number;
  post(message: CoreMessage): void;
  results(frame: Uint8Array<ArrayBuffer>): void;
  /**
   * Returns whether posted messages are still on this thread. If so, the host calls `drained`
   * later, and the core begins no call before.
   */
  awaitDrain(): boolean;
  /**
   * Whether the host assumes that an idle core begins a new value at once, unless calls have a
   * timeout. A tab's host assumes so, because each message would cost a third of a round trip.
   */
  readonly infersStart: boolean;
  setTimer(run: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

/** Milliseconds without any message to the host after which the next call is announced. */
const STARTED_EVERY_MS = 5;
const FLUSH_MS = 10;
/** Longest delay of a timer; engines run a timer with a longer delay at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Most bytes of the numbers around a result. */
const ENTRY_OVERHEAD = 32;

export class Core {
  private queue = new CallQueue();
  private f: UserFunction | null = null;
  private readonly writer = new ResultsWriter(1 << 16);
  private readonly clock: CallClock;
  private readonly logs: Logs;
  private open: Call[] = [];
  private pumping = false;
  private idle = true;
  /** Whether the queue's current value is announced but not begun. */
  private announced = false;
  private lastWasCareful = false;
  private lastPostAt = -Infinity;
  private firstUnflushedAt = 0;
  private flushTimer: unknown = null;
  private lastId: number | undefined;
  /** Whether the core had begun other calls before the latest call. */
  private hadEarlierCalls = false;
  private warned = false;

  constructor(
    private readonly host: CoreHost,
    private readonly options: CoreOptions,
  ) {
    this.clock = new CallClock(host.now, host.tick);
    this.logs = new Logs(
      () => host.now(),
      (entries) => this.post({ type: 'log', entries }),
      (run, ms) => void host.setTimer(run, ms),
    );
  }

  /** Sets the function to call. Values come only after this call. */
  use(f: UserFunction, module: PandoModule): void {
    this.f = f;
    this.queue = new CallQueue(module.Buffer);
  }

  values(frame: Uint8Array): void {
    this.queue.push(frame);
    this.pump();
  }

  /** Continues after congestion: the host has sent all earlier messages. */
  drained(): void {
    this.pump();
  }

  /**
   * Ends the open calls, because nobody needs their answers any more: their signals abort, and
   * the core ignores later answers.
   */
  forget(): void {
    for (const call of this.open.slice()) this.endEarly(call, 'not needed');
  }

  /**
   * Handles an uncaught error. The open call fails if no other call can have thrown the error.
   * Otherwise the open calls are computed again, each one alone. The host replaces the core,
   * because the same code may throw again.
   */
  uncaught(error: unknown): void {
    const { open } = this;
    if (open.length === 0) return this.logLate(error, this.lastId);
    const { dom } = this.options;
    // The host gives the waiting values to the core's replacement. A page has no replacement.
    this.pumping = !dom;
    // An earlier call may have left a timer or a promise that threw the error.
    const careful = !dom && this.hadEarlierCalls && !this.lastWasCareful;
    if (careful) this.logLate(error, undefined);
    else this.fail(open[0], error);
    this.flush();
    if (!dom) this.post({ type: 'spoiled', careful });
  }

  report(report: unknown, id = this.lastId): void {
    const plain = plainReport(report);
    this.post(
      id === undefined ? { type: 'report', report: plain } : { type: 'report', id, report: plain },
    );
  }

  /**
   * Logs one line of the function's output, by default for the latest item. Returns whether the
   * line was kept.
   */
  log(level: LogLevel, args: unknown[], id = this.lastId): boolean {
    return this.logs.add(level, format(args), id);
  }

  private logLate(error: unknown, id: number | undefined): void {
    const { message, stack } = failure(error, 'throw');
    this.logs.add('error', `late error: ${stack || message}`, id);
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    this.clock.restart();
    while (this.open.length < this.options.concurrency && this.step()) this.begin();
    this.pumping = false;
    this.flushOrSchedule();
  }

  /**
   * Moves to the next value if its call can begin now. An announced value waits until its
   * announcement has left the thread.
   */
  private step(): boolean {
    if (!this.announced) {
      if (!this.queue.next()) return false;
      this.announce();
    }
    this.announced = this.host.awaitDrain();
    return !this.announced;
  }

  /** Announces the next call, if the host cannot know of the call otherwise. */
  private announce(): void {
    const { careful, loan } = this.queue;
    const unknown = this.idle && (this.options.timeout !== null || !this.host.infersStart);
    const due =
      unknown ||
      careful ||
      this.lastWasCareful ||
      this.clock.last - this.lastPostAt >= STARTED_EVERY_MS;
    this.idle = false;
    this.lastWasCareful = careful;
    if (!due) return;
    this.flush();
    this.post({ type: 'started', id: loan });
  }

  private begin(): void {
    this.hadEarlierCalls = this.lastId !== undefined;
    const call = new Call(this.queue.id, this.queue.loan, this.queue.attempt, this.clock.last);
    this.lastId = call.id;
    this.invoke(this.f as UserFunction, call);
    if (call.settled) return;
    call.open = true;
    this.open.push(call);
    this.setTimeout(call);
    this.clock.restart();
  }

  private invoke(f: UserFunction, call: Call): void {
    try {
      const value = this.queue.value();
      if (f.style === 'callback') this.invokeWithCallback(f, call, value);
      else this.invokeWithContext(f, call, value);
    } catch (error) {
      this.rejected(call, error, call.answered);
    }
  }

  private invokeWithCallback(f: UserFunction, call: Call, value: unknown): void {
    const promise = f.call.call(f.owner, value, (error: unknown, result: unknown) =>
      this.calledBack(call, error, result),
    );
    // An async function with a callback: a rejection belongs to this call.
    if (isThenable(promise))
      promise.then(undefined, (error) => this.rejected(call, error, call.answered));
  }

  private invokeWithContext(f: UserFunction, call: Call, value: unknown): void {
    this.answer(call, f.call.call(f.owner, value, new Context(this, call)));
  }

  /**
   * Answers the call with `answer`. If `answer` is a promise or a Blob, the core first waits for
   * its value or bytes.
   */
  private answer(call: Call, answer: unknown): void {
    try {
      const coming = isThenable(answer) ? answer : bytesToCome(answer);
      if (!coming) return this.succeed(call, answer);
      coming.then(
        (answer) => this.answer(call, answer),
        (error) => this.rejected(call, error),
      );
    } catch (error) {
      // The `then` of the answer threw.
      this.rejected(call, error);
    }
  }

  private calledBack(call: Call, error: unknown, result: unknown): void {
    if (call.answered) {
      if (!call.forgotten) this.logs.add('warn', 'the callback was called twice', call.id);
      return;
    }
    call.answered = true;
    if (error) this.fail(call, error, 'error');
    else this.answer(call, result);
  }

  private rejected(call: Call, error: unknown, late = call.settled): void {
    if (!late) this.fail(call, error);
    else if (!call.forgotten) this.logLate(error, call.id);
  }

  private succeed(call: Call, result: unknown): void {
    if (call.settled) return;
    try {
      this.write(call, result);
    } catch (error) {
      return this.fail(call, error);
    }
    this.end(call);
  }

  private write(call: Call, result: unknown): void {
    const bytes = bytesOf(result);
    if (bytes) return this.writeBytes(call, bytes);
    if (typeof result === 'string' && !this.options.json)
      return this.writeText(call, RESULT_TEXT, result);
    const { tag, text } = textOf(result, (this.f as UserFunction).style, this.options.json);
    if (tag === RESULT_TEXT && typeof result === 'object' && text.includes('[object Object]'))
      this.warnOfText(call);
    this.writeText(call, tag, text);
  }

  private warnOfText({ id }: Call): void {
    if (!this.warned)
      this.logs.add(
        'warn',
        'its result is printed as [object Object]: answer JSON.stringify(result)',
        id,
      );
    this.warned = true;
  }

  private writeText(call: Call, tag: number, text: string): void {
    checkText(text);
    this.makeRoom(text.length);
    if (text.length <= PART) return this.writer.textResult(call.loan, tag, this.micros(call), text);
    this.host.results(textResultFrame(call.loan, tag, this.micros(call), text));
  }

  private writeBytes(call: Call, bytes: Uint8Array): void {
    this.makeRoom(bytes.length);
    if (bytes.length <= PART) return this.writer.bytesResult(call.loan, this.micros(call), bytes);
    this.host.results(bytesResultFrame(call.loan, this.micros(call), bytes));
  }

  private fail(call: Call, error: unknown, kind: ErrorKind = 'throw'): void {
    if (call.settled) return;
    const json = JSON.stringify(
      // `instanceof` would throw for some values.
      member(error, 'constructor') === UnusableAnswer ? error : failure(error, kind),
    );
    this.makeRoom(json.length);
    this.writer.textResult(call.loan, RESULT_ERROR, this.micros(call), json);
    this.end(call);
  }

  /** Keeps a frame of several results within `PART` bytes. */
  private makeRoom(length: number): void {
    if (this.writer.length + length + ENTRY_OVERHEAD > PART) this.flush();
    if (this.writer.length === 0) this.firstUnflushedAt = this.clock.last;
  }

  private micros(call: Call): number {
    if (!call.open) return this.clock.charge();
    return Math.max(0, Math.round((this.host.now() - call.startedAt) * 1000));
  }

  private end(call: Call): void {
    call.settled = call.answered = true;
    if (call.timer !== null) this.host.clearTimer(call.timer);
    if (call.forgotten && call.abortable) call.abortable.abort();
    if (!call.open) return;
    this.open.splice(this.open.indexOf(call), 1);
    this.pump();
  }

  private setTimeout(call: Call): void {
    const { timeout } = this.options;
    if (timeout === null) return;
    const left = Math.max(0, timeout - (this.host.now() - call.startedAt));
    call.timer =
      left > LONGEST_TIMER_MS
        ? this.host.setTimer(() => this.setTimeout(call), LONGEST_TIMER_MS)
        : this.host.setTimer(() => this.timeOut(call, timeout), left);
  }

  private timeOut(call: Call, timeout: number): void {
    if (call.settled) return;
    this.endEarly(call, timeoutMessage(timeout));
  }

  private endEarly(call: Call, why: string): void {
    call.forgotten = true;
    this.fail(call, new UnusableAnswer('timeout', why));
  }

  /**
   * Sends results at once when no call can begin, or within `FLUSH_MS` when more values wait in
   * the queue.
   */
  private flushOrSchedule(): void {
    if (this.announced) return;
    if (this.queue.empty) {
      this.idle = this.open.length === 0;
      this.flush();
    } else if (this.writer.length > 0 && this.host.now() - this.firstUnflushedAt >= FLUSH_MS) {
      this.flush();
    } else if (this.writer.length > 0 && this.flushTimer === null) {
      this.flushTimer = this.host.setTimer(() => this.flushLater(), FLUSH_MS);
    }
  }

  private flushLater(): void {
    this.flushTimer = null;
    this.flush();
  }

  private flush(): void {
    this.logs.flush();
    if (this.writer.length === 0) return;
    this.lastPostAt = this.clock.last;
    this.host.results(this.writer.take());
  }

  private post(message: CoreMessage): void {
    this.lastPostAt = this.clock.last;
    this.host.post(message);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
