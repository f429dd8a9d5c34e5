/**
 * Distributes the values of this device among its cores, and handles slow and failed cores. The
 * dispatcher owns neither the socket nor the workers, and receives the time as an argument.
 *
 * Native volunteers decide alike, in Rust: both run the scenarios of `fixtures/dispatch.json`.
 */

import { ResultsWriter } from '../frames.ts';
import type { ErrorKind, Loan } from '../frames.ts';
import { timeoutMessage } from '../core/timeout.ts';
import type { JobOptions, Running, ToMaster } from '../messages.ts';
import { withoutResults } from './results.ts';
import { CoreState } from './core-state.ts';
import { ValuesQueue } from './values-queue.ts';

export interface DispatcherActions {
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
  private timeout: number | null = null;
  private wanted = 0;
  private nextCore = 0;
  private broken = false;
  /** Whether some core has loaded the function. */
  private functionLoaded = false;
  private readonly queue = new ValuesQueue();
  private readonly states = new Map<number, CoreState>();
  /** Whether the master knows that the function is still loading. */
  private loadingReported = false;
  private lastTick = Infinity;
  private adjustAt = Infinity;

  constructor(private readonly actions: DispatcherActions) {}

  get held(): number {
    let held = this.queue.count;
    for (const state of this.states.values()) held += state.heldCount;
    return held;
  }

  get busy(): number {
    let busy = 0;
    for (const state of this.states.values()) if (state.count > 0) busy++;
    return busy;
  }

  /**
   * Sets the job's options, so that cores can be made. Long calls are reported again, because
   * after a new welcome the master does not know about them.
   */
  begin(options: JobOptions, now: number): void {
    this.options = options;
    this.timeout = options.timeout;
    this.loadingReported = false;
    for (const state of this.states.values()) for (const call of state.open) call.reported = false;
    this.adjustCores();
    this.feed(now);
  }

  /** Sets the number of lent cores. */
  lend(cores: number, now: number): void {
    this.wanted = cores;
    this.adjustCores();
    this.feed(now);
  }

  pause(now: number): void {
    this.paused = true;
    this.feed(now);
  }

  resume(now: number): void {
    this.paused = false;
    this.feed(now);
  }

  coreReady(core: number, now: number): void {
    const state = this.states.get(core);
    if (!state) return;
    state.ready = this.functionLoaded = true;
    this.loadingReported = false;
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
    this.feed(now);
  }

  started(core: number, id: Loan, now: number): void {
    const state = this.states.get(core);
    if (state) state.started(id, now);
  }

  results(core: number, frame: Uint8Array, now: number): void {
    const state = this.states.get(core);
    if (!state) return;
    const { count, errors } = state.answered(frame, now);
    const live = state.stale ? withoutResults(frame, (id) => state.removeForgotten(id)) : frame;
    if (live) {
      this.actions.results(live);
      this.done += count;
      this.errors += errors;
    }
    if (state.leaving && state.count === 0) this.end(state);
    this.feed(now);
  }

  /** The core's worker ended unexpectedly. */
  died(core: number, message: string, now: number): void {
    const state = this.states.get(core);
    if (!state) return;
    if (state.ready) return this.replace(state, 'died', `the worker died: ${message}`, now);
    this.end(state);
    this.adjustAt = now + MAKE_AGAIN_MS;
  }

  /** Replaces a core after an uncaught error, because the core may throw again. */
  spoiled(core: number, careful: boolean): void {
    const state = this.states.get(core);
    if (!state) return;
    this.end(state);
    // Calls begin in the order of their values.
    const open = careful ? state.open.length : 0;
    this.sayReturned(state.held(0, open), true);
    this.sayReturned(state.held(open));
    this.adjustCores();
  }

  /** The owner calls `tick` about every 100 ms. */
  tick(now: number): void {
    const slept = now - this.lastTick;
    if (slept > SLEPT_MS) this.excuseSleep(slept, now);
    this.lastTick = now;
    if (now >= this.adjustAt) this.adjustCores();
    this.endOverdue(now);
    this.endStuck(now);
    this.endForgotten(now);
    this.sayStarted(now);
  }

  recall(ids: Loan[], now: number): void {
    const wanted = new Set(ids);
    this.sayReturned(this.queue.remove((id) => wanted.has(id)));
    this.feed(now);
  }

  /** The ids of all received but unanswered values. */
  holds(): Loan[] {
    const ids = [this.queue.ids()];
    for (const state of this.states.values()) ids.push(state.held());
    return ([] as Loan[]).concat(...ids);
  }

  /** Forgets all values except those accepted by `kept`. */
  keep(kept: (id: Loan) => boolean): void {
    this.queue.remove((id) => !kept(id));
    for (const state of this.states.values()) {
      state.forget(kept);
      if (this.dom && state.stale) this.actions.forget(state.core);
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
    if (!this.dom) for (const state of this.states.values()) if (state.count > 0) this.end(state);
    this.adjustCores();
  }

  endAll(): void {
    this.wanted = 0;
    for (const state of this.states.values()) this.end(state);
  }

  private get dom(): boolean {
    return this.options !== null && this.options.dom;
  }

  /** Makes or ends cores until their number is as wanted. A busy core ends after its answers. */
  private adjustCores(): void {
    this.adjustAt = Infinity;
    if (!this.options || this.broken) return;
    const staying = [...this.states.values()].filter((state) => !state.leaving);
    for (let i = staying.length; i < this.wanted; i++) this.make(this.options);
    for (const state of staying
      .sort((a, b) => a.count - b.count)
      .slice(0, Math.max(0, staying.length - this.wanted))) {
      state.leaving = true;
      if (state.count === 0) this.end(state);
    }
  }

  private make(options: JobOptions): void {
    const core = this.nextCore++;
    this.states.set(
      core,
      options.dom ? new CoreState(core, 1, 1) : new CoreState(core, options.concurrency),
    );
    this.actions.makeCore(core);
  }

  private end(state: CoreState): void {
    this.states.delete(state.core);
    this.actions.endCore(state.core);
  }

  /**
   * Feeds the core with the fewest values first, and leaves to each other core its share. While
   * paused, returns the values.
   */
  private feed(now: number): void {
    if (this.paused || this.broken) return this.sayReturned(this.queue.remove(() => true));
    const { count } = this.queue;
    const cores = [...this.states.values()].filter(({ feedable }) => feedable);
    const [next] = cores.filter(({ room }) => room > 0).sort((a, b) => a.count - b.count);
    if (!next) return;
    this.feedCore(next, Math.min(next.room, Math.ceil(count / cores.length)), now);
    if (this.queue.count < count) this.feed(now);
  }

  private feedCore(state: CoreState, most: number, now: number): void {
    while (most > 0) {
      const taken = this.queue.take(most, state.count === 0);
      if (!taken) return;
      state.give(taken.ids, taken.careful, now);
      this.actions.toCore(state.core, taken.frame);
      if (taken.careful) return;
      most -= taken.ids.length;
    }
  }

  private excuseSleep(ms: number, now: number): void {
    for (const state of this.states.values()) {
      state.loadingSince += ms;
      // A call may have begun since the device woke.
      for (const call of state.open) call.since = Math.min(now, call.since + ms);
    }
  }

  private endOverdue(now: number): void {
    const { timeout } = this;
    if (timeout === null) return;
    for (const state of [...this.states.values()])
      if (state.age(now) >= timeout + GRACE_MS)
        this.replace(state, 'timeout', timeoutMessage(timeout), now);
  }

  /**
   * Ends a core whose long calls are all forgotten, because other values wait for the core. A
   * page cannot be ended.
   */
  private endForgotten(now: number): void {
    if (this.dom) return;
    for (const state of [...this.states.values()])
      if (state.age(now) >= LONG_MS && state.open.every(({ id }) => state.isForgotten(id)))
        this.spoiled(state.core, false);
  }

  /** Ends cores that load for too long. If no core has ever loaded, the device cannot run f. */
  private endStuck(now: number): void {
    for (const state of this.states.values()) {
      if (state.ready) continue;
      state.loadingSince = state.loadingSince || now;
      if (now - state.loadingSince < LOADING_MS) continue;
      if (!this.functionLoaded) return this.stuck();
      this.died(state.core, '', now);
    }
  }

  private stuck(): void {
    this.endAll();
    this.actions.broken(
      `loading it takes longer than ${LOADING_MS / 1000} s: is there an endless loop at its top level?`,
    );
  }

  /**
   * Replaces a hanging or dead core. If the core had exactly one value and has begun it, the value
   * fails; otherwise all values go back, as careful if one of them was begun. Without a timeout, an
   * idle core does not announce what it begins.
   */
  private replace(state: CoreState, kind: ErrorKind, message: string, now: number): void {
    const held = state.held();
    const began = state.began || this.timeout === null;
    if (this.dom) state.forget(() => false);
    else this.end(state);
    if (began && state.count === 1 && held.length === 1)
      this.fail(held[0], kind, message, state.age(now));
    else this.sayReturned(held, began);
    this.adjustCores();
  }

  private fail(id: Loan, kind: ErrorKind, message: string, ms: number): void {
    const writer = new ResultsWriter(256);
    writer.failure(id, Math.round(ms * 1000), { message, kind });
    this.done++;
    this.errors++;
    this.actions.results(writer.take());
  }

  private sayStarted(now: number): void {
    const items: Running[] = [];
    for (const state of this.states.values()) {
      for (const call of state.open) {
        if (call.reported || now - call.since < LONG_MS || state.isForgotten(call.id)) continue;
        call.reported = true;
        items.push({ id: call.id, ms: Math.floor(now - call.since) });
      }
    }
    const loading = this.loading(now);
    const isLong = loading >= LONG_MS;
    if (isLong || items.length > 0)
      this.actions.say({ type: 'started', items, ...(isLong && { loading: Math.round(loading) }) });
    this.loadingReported = this.loadingReported || isLong;
  }

  /**
   * Milliseconds for which values have waited for the first core to load the function; 0 if
   * already reported.
   */
  private loading(now: number): number {
    const states = [...this.states.values()];
    if (
      this.loadingReported ||
      this.queue.count === 0 ||
      states.length === 0 ||
      states.some(({ ready }) => ready)
    )
      return 0;
    return now - Math.min(...states.map(({ loadingSince }) => loadingSince));
  }

  /** Returns these values to the master. */
  sayReturned(ids: Loan[], careful = false): void {
    for (let i = 0; i < ids.length; i += IDS_PER_MESSAGE) {
      this.actions.say({
        type: 'returned',
        ids: ids.slice(i, i + IDS_PER_MESSAGE),
        ...(careful && { careful }),
      });
    }
  }
}
