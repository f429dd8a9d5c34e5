/**
 * Distributes the values of this device among its cores, and handles slow and failed cores. The
 * dispatcher owns neither the socket nor the workers, and receives the time as an argument.
 */

import { ResultsWriter } from '../protocol.ts';
import type { ErrorKind, Loan } from '../protocol.ts';
import { timeoutMessage } from '../core/timeout.ts';
import type { JobOptions, ToMaster } from '../messages.ts';
import { withoutResults } from './results.ts';
import { Seat } from './seat.ts';
import { ValuesQueue } from './values-queue.ts';

export interface Surroundings {
  makeCore(core: number): void;
  /** Ends the core's worker, even in the middle of a call. */
  endCore(core: number): void;
  toCore(core: number, frame: Uint8Array<ArrayBuffer>): void;
  /**
   * Nobody needs the present answer of a page any more, so the page can remove its question to
   * the person.
   */
  forget(core: number): void;
  say(message: ToMaster): void;
  results(frame: Uint8Array): void;
  /** No core can load the function. */
  broken(message: string): void;
}

/** Age in milliseconds from which a call is reported to the master. */
const LONG_MS = 500;
/** Extra milliseconds for a core to report a timeout by itself. */
const GRACE_MS = 250;
/** Interval between ticks, in milliseconds, which shows that the device and its cores slept. */
const SLEPT_MS = 1500;
/** Milliseconds until a new worker replaces a worker whose script could not be fetched. */
const MAKE_AGAIN_MS = 1000;
/** Milliseconds after which a function still loading counts as impossible to load. */
const LOADING_MS = 30_000;
/** Most ids in one message, so that the text frame stays short. */
const IDS_PER_MESSAGE = 4000;

export class Dispatcher {
  done = 0;
  errors = 0;
  paused = false;
  private options: JobOptions | null = null;
  private wanted = 0;
  private nextCore = 0;
  private broken = false;
  /** Whether some core has loaded the function. */
  private works = false;
  private readonly queue = new ValuesQueue();
  private readonly seats = new Map<number, Seat>();
  /** Whether the master knows that the function is still loading. */
  private toldLoading = false;
  private lastTick = -Infinity;
  private fitAt = Infinity;

  constructor(private readonly around: Surroundings) {}

  get held(): number {
    let held = this.queue.count;
    for (const seat of this.seats.values()) held += seat.heldCount;
    return held;
  }

  get busy(): number {
    let busy = 0;
    for (const seat of this.seats.values()) if (seat.count > 0) busy++;
    return busy;
  }

  /**
   * Sets the job's options, so that cores can be made. Long calls are reported again, because
   * after a new welcome the master does not know about them.
   */
  begin(options: JobOptions): void {
    this.options = options;
    this.toldLoading = false;
    for (const seat of this.seats.values()) for (const call of seat.open) call.told = false;
    this.fit();
  }

  /** Sets the number of lent cores. */
  lend(cores: number, now: number): void {
    this.wanted = cores;
    this.fit();
    this.feed(now);
  }

  pause(): void {
    this.paused = true;
    this.sayReturned(this.queue.remove(() => true));
  }

  resume(now: number): void {
    this.paused = false;
    this.feed(now);
  }

  coreReady(core: number, now: number): void {
    const seat = this.seats.get(core);
    if (!seat) return;
    seat.ready = this.works = true;
    this.toldLoading = false;
    this.feed(now);
  }

  /**
   * Returns present and future values, because the function cannot be loaded here. The result is
   * true only for the first call.
   */
  giveUp(): boolean {
    const first = !this.broken;
    this.broken = true;
    this.sayReturned(this.abandon());
    return first;
  }

  /** Takes a values frame from the master; throws `Malformed`. */
  values(frame: Uint8Array, now: number): void {
    this.queue.push(frame);
    if (this.paused || this.broken) this.sayReturned(this.queue.remove(() => true));
    else this.feed(now);
  }

  started(core: number, id: Loan, now: number): void {
    const seat = this.seats.get(core);
    if (seat) seat.started(id, now);
  }

  results(core: number, frame: Uint8Array, now: number): void {
    const seat = this.seats.get(core);
    if (!seat) return;
    const { count, errors } = seat.answered(frame, now);
    if (this.pass(seat, frame)) {
      this.done += count;
      this.errors += errors;
    }
    if (seat.leaving && seat.count === 0) this.end(seat);
    this.feed(now);
  }

  /** The core's worker ended unexpectedly. */
  died(core: number, message: string, now: number): void {
    const seat = this.seats.get(core);
    if (!seat) return;
    if (seat.ready) return this.replace(seat, 'died', `the worker died: ${message}`, now);
    this.end(seat);
    this.fitAt = now + MAKE_AGAIN_MS;
  }

  /** Replaces a core after an uncaught error, because the core may throw again. */
  spoiled(core: number, careful: boolean): void {
    const seat = this.seats.get(core);
    if (!seat) return;
    this.end(seat);
    // Calls begin in the order of their values.
    const open = careful ? seat.open.length : 0;
    this.sayReturned(seat.held.slice(0, open), true);
    this.sayReturned(seat.held.slice(open));
    this.fit();
  }

  /** The owner calls `tick` about every 100 ms. */
  tick(now: number): void {
    const slept = now - this.lastTick;
    if (slept > SLEPT_MS && this.lastTick > 0) this.excuse(slept);
    this.lastTick = now;
    if (now >= this.fitAt) this.fit();
    this.endOverdue(now);
    this.endStuck(now);
    this.endForgotten(now);
    this.sayStarted(now);
  }

  recall(ids: Loan[]): void {
    const wanted = new Set(ids);
    this.sayReturned(this.queue.remove((id) => wanted.has(id)));
  }

  /** The ids of all received but unanswered values. */
  holds(): Loan[] {
    const ids = [this.queue.ids()];
    for (const seat of this.seats.values()) ids.push(seat.held);
    return ([] as Loan[]).concat(...ids);
  }

  /** Forgets all values except those accepted by `kept`. */
  keep(kept: (id: Loan) => boolean): void {
    this.queue.remove((id) => !kept(id));
    for (const seat of this.seats.values()) {
      seat.forget(kept);
      if (this.dom && seat.stale) this.around.forget(seat.core);
    }
  }

  /** Forgets all values, including values in progress; returns their ids. */
  abandon(): Loan[] {
    const ids = this.holds();
    this.keep(() => false);
    return ids;
  }

  /**
   * Starts another job. Its ids begin again at 0, so answers for the old job must not be taken
   * for new answers.
   */
  reset(): void {
    this.abandon();
    // A page loads its function only once. The page answers forgotten values before it receives
    // new ones.
    if (!this.dom) for (const seat of [...this.seats.values()]) if (seat.count > 0) this.end(seat);
    this.fit();
  }

  endAll(): void {
    this.wanted = 0;
    for (const seat of [...this.seats.values()]) this.end(seat);
  }

  private get dom(): boolean {
    return this.options !== null && this.options.dom;
  }

  /** Makes or ends cores until their number is as wanted. A busy core ends after its answers. */
  private fit(): void {
    this.fitAt = Infinity;
    if (!this.options || this.broken) return;
    const staying = [...this.seats.values()].filter((seat) => !seat.leaving);
    for (let i = staying.length; i < this.wanted; i++) this.make(this.options);
    for (const seat of staying
      .sort((a, b) => a.count - b.count)
      .slice(0, Math.max(0, staying.length - this.wanted))) {
      seat.leaving = true;
      if (seat.count === 0) this.end(seat);
    }
  }

  private make(options: JobOptions): void {
    const core = this.nextCore++;
    this.seats.set(core, options.dom ? new Seat(core, 1, 1) : new Seat(core, options.concurrency));
    this.around.makeCore(core);
  }

  private end(seat: Seat): void {
    this.seats.delete(seat.core);
    this.around.endCore(seat.core);
  }

  private feed(now: number): void {
    for (const seat of this.seats.values()) {
      if (this.queue.count === 0) return;
      const room = seat.room;
      if (room > 0)
        this.feedSeat(seat, Math.min(room, Math.ceil(this.queue.count / this.seats.size)), now);
    }
  }

  private feedSeat(seat: Seat, most: number, now: number): void {
    while (most > 0) {
      const cut = this.queue.take(most, seat.count === 0);
      if (!cut) return;
      seat.give(cut.ids, cut.careful, now);
      this.around.toCore(seat.core, cut.frame);
      if (cut.careful) return;
      most -= cut.ids.length;
    }
  }

  /** Sends the needed results of a frame on; returns whether there were any. */
  private pass(seat: Seat, frame: Uint8Array): boolean {
    const live = seat.stale ? withoutResults(frame, (id) => seat.dropsAnswer(id)) : frame;
    if (live) this.around.results(live);
    return live !== null;
  }

  private excuse(ms: number): void {
    for (const seat of this.seats.values()) {
      seat.loadingSince += ms;
      for (const call of seat.open) call.since += ms;
    }
  }

  private endOverdue(now: number): void {
    const timeout = this.options ? this.options.timeout : null;
    if (timeout === null) return;
    for (const seat of [...this.seats.values()]) {
      const oldest = seat.open[0];
      if (oldest && now - oldest.since > timeout + GRACE_MS)
        this.replace(seat, 'timeout', timeoutMessage(timeout), now);
    }
  }

  /**
   * Ends a core whose long calls are all forgotten, because other values wait for the core. A
   * page cannot be ended.
   */
  private endForgotten(now: number): void {
    for (const seat of [...this.seats.values()]) {
      const { open } = seat;
      if (this.dom || open.length === 0 || now - open[0].since < LONG_MS) continue;
      if (open.every(({ id }) => seat.isForgotten(id))) this.spoiled(seat.core, false);
    }
  }

  /**
   * Handles cores that do not load the function in time. If no core ever has, the device cannot
   * run the function.
   */
  private endStuck(now: number): void {
    for (const seat of [...this.seats.values()]) {
      if (seat.ready) continue;
      seat.loadingSince = seat.loadingSince || now;
      if (now - seat.loadingSince < LOADING_MS) continue;
      if (!this.works) return this.stuck();
      this.died(seat.core, '', now);
    }
  }

  private stuck(): void {
    this.endAll();
    this.around.broken(
      `loading it takes longer than ${LOADING_MS / 1000} s: is there an endless loop at its top level?`,
    );
  }

  /**
   * Replaces a hanging or dead core. If the core had exactly one value, the value fails;
   * otherwise all values go back as careful.
   */
  private replace(seat: Seat, kind: ErrorKind, message: string, now: number): void {
    const { unanswered, held } = seat;
    const since = seat.open.length > 0 ? seat.open[0].since : now;
    if (this.dom) seat.forget(() => false);
    else this.end(seat);
    if (unanswered.length === 1 && held.length === 1)
      this.fail(held[0], kind, message, now - since);
    else this.sayReturned(held, true);
    this.fit();
  }

  private fail(id: Loan, kind: ErrorKind, message: string, ms: number): void {
    const writer = new ResultsWriter(256);
    writer.failure(id, Math.round(ms * 1000), { message, kind });
    this.done++;
    this.errors++;
    this.around.results(writer.take());
  }

  private sayStarted(now: number): void {
    const items: { id: Loan; ms: number }[] = [];
    for (const seat of this.seats.values()) {
      for (const call of seat.open) {
        if (call.told || now - call.since < LONG_MS || seat.isForgotten(call.id)) continue;
        call.told = true;
        items.push({ id: call.id, ms: Math.round(now - call.since) });
      }
    }
    const loading = this.loading(now);
    const isLong = loading >= LONG_MS;
    if (isLong || items.length > 0)
      this.around.say({ type: 'started', items, ...(isLong && { loading: Math.round(loading) }) });
    this.toldLoading = this.toldLoading || isLong;
  }

  /**
   * Milliseconds for which values have waited for the first core to load the function; 0 if
   * already reported.
   */
  private loading(now: number): number {
    const seats = [...this.seats.values()];
    if (
      this.toldLoading ||
      this.queue.count === 0 ||
      seats.length === 0 ||
      seats.some(({ ready }) => ready)
    )
      return 0;
    return now - Math.min(...seats.map(({ loadingSince }) => loadingSince));
  }

  /** Returns these values to the master. */
  sayReturned(ids: Loan[], careful = false): void {
    for (let i = 0; i < ids.length; i += IDS_PER_MESSAGE) {
      this.around.say({
        type: 'returned',
        ids: ids.slice(i, i + IDS_PER_MESSAGE),
        ...(careful && { careful }),
      });
    }
  }
}
