/**
 * Runs f on the values of one core, one at a time, and collects its results: the same in a tab's worker, in a page
 * with a DOM, and in a child of Node. It knows neither threads nor sockets; its host carries what it posts.
 */

import { CallClock } from './core/clock.ts';
import { Call, Context } from './core/call.ts';
import { Unusable, bytesOf, bytesToCome, textOf } from './core/convert.ts';
import { format } from './core/format.ts';
import { Logs } from './core/logs.ts';
import { Queue } from './core/queue.ts';
import { failure, failureMessage } from './core/shown.ts';
import { timeoutMessage } from './core/timeout.ts';
import type { PandoModule, UserFunction } from './core/function.ts';
import type { CoreOptions, FromCore, LogLevel } from './messages.ts';
import { FRAME_LIMIT, RESULT_ERROR, RESULT_TEXT, ResultsWriter, bytesResultFrame, textResultFrame } from './protocol.ts';
import type { ErrorKind } from './protocol.ts';

export interface CoreHost {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** A cheaper clock of whole milliseconds. */
  readonly tick: () => number;
  post(message: FromCore): void;
  results(frame: Uint8Array<ArrayBuffer>): void;
  /** Whether what was posted is still on this thread: then no call is begun until `drained`. */
  congested(): boolean;
  /** Whether who gives a value to an idle core takes it for begun: in a tab each message costs a third of a round trip. */
  readonly infers: boolean;
  setTimer(run: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

/** A host that hears from a core this rarely knows well enough what it is at. */
const STARTED_EVERY_MS = 2;
const FLUSH_MS = 10;
const LONGEST_REPORT = 10_000;
/** A longer one goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Room for the numbers around a result. */
const ENTRY_OVERHEAD = 32;

export class Core {
  private queue = new Queue();
  private f: UserFunction | null = null;
  private readonly writer = new ResultsWriter(1 << 16);
  private readonly clock: CallClock;
  private readonly logs: Logs;
  private open: Call[] = [];
  private pumping = false;
  private idle = true;
  /** The queue's current value is announced and not begun. */
  private announced = false;
  private lastWasCareful = false;
  private lastPostAt = -Infinity;
  private firstUnflushedAt = 0;
  private flushTimer: unknown = null;
  private lastId: number | undefined;
  /** Before the call that was begun last there were others. */
  private used = false;
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

  /** The function to call; values come after this. */
  use(f: UserFunction, module: PandoModule): void {
    this.f = f;
    this.queue = new Queue(module.Buffer);
  }

  /** Takes a values frame. */
  values(frame: Uint8Array): void {
    this.queue.push(frame);
    this.pump();
  }

  /** The host can take more. */
  drained(): void {
    this.pump();
  }

  /** Nobody waits for the open calls any more: their signals say so, and what they answer is ignored. */
  forget(): void {
    for (const call of this.open.slice()) this.endEarly(call, 'nobody waits for the answer');
  }

  /** An error that nobody caught: the open call's when it can be no other's. What threw it may do so again, to others. */
  uncaught(error: unknown): void {
    const { open } = this;
    if (open.length === 0) return this.late(error, this.lastId);
    const { dom } = this.options;
    // What waits here goes to who replaces this core. A page cannot be replaced.
    this.pumping = !dom;
    // A call before may have left behind what threw it.
    const careful = !dom && this.used && !this.lastWasCareful;
    if (careful) this.late(error, undefined);
    else this.fail(open[0], 'throw', error);
    this.flush();
    if (!dom) this.post({ type: 'spoiled', careful });
  }

  report(report: unknown, id = this.lastId): void {
    const plain = plainReport(report);
    this.post(id === undefined ? { type: 'report', report: plain } : { type: 'report', id, report: plain });
  }

  /** A line of the function's output, of the item begun last unless told; whether it was kept. */
  log(level: LogLevel, args: unknown[], id = this.lastId): boolean {
    return this.logs.add(level, format(args), id);
  }

  private late(error: unknown, id: number | undefined): void {
    const { message, stack } = failure(error, 'throw');
    this.logs.add('error', `late error: ${stack || message}`, id);
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    this.clock.restart();
    while (this.open.length < this.options.concurrency && this.step()) this.begin();
    this.pumping = false;
    this.settleDown();
  }

  /** Steps to a value that can be begun now; one whose announcement has not left this thread waits for that. */
  private step(): boolean {
    if (!this.announced) {
      if (!this.queue.next()) return false;
      this.announce();
    }
    this.announced = this.host.congested();
    return !this.announced;
  }

  /** Says which call begins, when the host could not know it otherwise. */
  private announce(): void {
    const { careful, loan } = this.queue;
    const unknown = this.idle && !this.host.infers;
    const due = unknown || careful || this.lastWasCareful || this.clock.last - this.lastPostAt >= STARTED_EVERY_MS;
    this.idle = false;
    this.lastWasCareful = careful;
    if (!due) return;
    this.flush();
    this.post({ type: 'started', id: loan });
  }

  private begin(): void {
    this.used = this.lastId !== undefined;
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
    const promise = f.call.call(f.owner, value, (error: unknown, result: unknown) => this.calledBack(call, error, result));
    // An async function with a callback: what it throws is known to be this call's.
    if (isThenable(promise)) promise.then(undefined, (error) => this.rejected(call, error, call.answered));
  }

  private invokeWithContext(f: UserFunction, call: Call, value: unknown): void {
    this.answer(call, f.call.call(f.owner, value, new Context(this, call)));
  }

  /** What is still to come is waited for: a promise's value, a Blob's bytes. */
  private answer(call: Call, answer: unknown): void {
    try {
      const coming = isThenable(answer) ? answer : bytesToCome(answer);
      if (!coming) return this.succeed(call, answer);
      coming.then(
        (answer) => this.answer(call, answer),
        (error) => this.rejected(call, error),
      );
    } catch (error) {
      // Its `then` threw.
      this.rejected(call, error);
    }
  }

  private calledBack(call: Call, error: unknown, result: unknown): void {
    if (call.answered) {
      if (!call.forgotten) this.logs.add('warn', 'the callback was called twice; the second call is ignored', call.id);
      return;
    }
    call.answered = true;
    if (error) this.fail(call, 'error', error);
    else this.answer(call, result);
  }

  private rejected(call: Call, error: unknown, late = call.settled): void {
    if (!late) this.fail(call, 'throw', error);
    else if (!call.forgotten) this.late(error, call.id);
  }

  private succeed(call: Call, result: unknown): void {
    if (call.settled) return;
    try {
      this.write(call, result);
    } catch (error) {
      return this.fail(call, error instanceof Unusable ? error.kind : 'throw', error);
    }
    this.end(call);
  }

  private write(call: Call, result: unknown): void {
    const bytes = bytesOf(result);
    if (bytes) return this.writeBytes(call, bytes);
    if (typeof result === 'string' && !this.options.json) return this.writeText(call, RESULT_TEXT, result);
    const { tag, text } = textOf(result, (this.f as UserFunction).style, this.options.json);
    if (tag === RESULT_TEXT && typeof result === 'object' && text.includes('[object Object]')) this.warnOfText(call);
    this.writeText(call, tag, text);
  }

  private warnOfText({ id }: Call): void {
    if (!this.warned) this.logs.add('warn', 'its result is printed as [object Object]: answer JSON.stringify(result)', id);
    this.warned = true;
  }

  private writeText(call: Call, tag: number, text: string): void {
    this.makeRoom(text.length);
    if (text.length <= FRAME_LIMIT) return this.writer.textResult(call.loan, tag, this.micros(call), text);
    this.host.results(textResultFrame(call.loan, tag, this.micros(call), text));
  }

  private writeBytes(call: Call, bytes: Uint8Array): void {
    this.makeRoom(bytes.length);
    if (bytes.length <= FRAME_LIMIT) return this.writer.bytesResult(call.loan, this.micros(call), bytes);
    this.host.results(bytesResultFrame(call.loan, this.micros(call), bytes));
  }

  private fail(call: Call, kind: ErrorKind, error: unknown): void {
    if (call.settled) return;
    const json = JSON.stringify(error instanceof Unusable ? { message: error.message, kind } : failure(error, kind));
    this.makeRoom(json.length);
    this.writer.textResult(call.loan, RESULT_ERROR, this.micros(call), json);
    this.end(call);
  }

  /** A frame with several results is 64 KiB at most. */
  private makeRoom(length: number): void {
    if (this.writer.length + length + ENTRY_OVERHEAD > FRAME_LIMIT) this.flush();
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
    this.fail(call, 'timeout', new Unusable('timeout', why));
  }

  /** After the last call that could be begun for now: results go out at once, or soon when more are coming. */
  private settleDown(): void {
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

  private post(message: FromCore): void {
    this.lastPostAt = this.clock.last;
    this.host.post(message);
  }
}

/** What of a report can be told in JSON, in a message that stays short. */
function plainReport(report: unknown): unknown {
  try {
    const text = JSON.stringify(report) || 'null';
    return text.length > LONGEST_REPORT ? { error: 'the report is too long' } : JSON.parse(text);
  } catch (error) {
    return { error: `the report has no JSON form: ${failureMessage(error)}` };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
