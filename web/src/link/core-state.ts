/** The link's knowledge of one core: its values, its open calls and its speed. */

import { RESULT_ERROR, ResultsCursor } from '../frames.ts';
import type { Loan } from '../frames.ts';

/**
 * Microseconds of work that a core receives at a time for each of its calls at once, so that other
 * cores can take the rest.
 */
const AHEAD = 20_000;
const MOST_AT_ONCE = 1 << 16;

/** A call which may be in progress, as far as the link can tell. */
export interface OpenCall {
  id: Loan;
  /** The earliest possible start of the call, in milliseconds. */
  since: number;
  /** Whether the master knows that the call takes long. */
  reported: boolean;
}

export class CoreState {
  ready = false;
  /** When the core was first seen loading the function. */
  loadingSince = NaN;
  /** Whether the core's only value is careful, so that no other value may join it. */
  careful = false;
  /** Whether the core ends after its remaining answers. */
  leaving = false;
  /** Calls which may be in progress, oldest first, at most `concurrency`. */
  open: OpenCall[] = [];
  private given: Loan[] = [];
  private head = 0;
  private forgotten = new Set<Loan>();
  /** Whether the core has begun its first unanswered value, as far as is known. */
  began = false;
  /** Most values that the core should have. */
  private target: number;
  /** Estimated duration of a call, at most `AHEAD`, in microseconds. */
  private estimate = 0;

  constructor(
    readonly core: number,
    private readonly concurrency: number,
    /** Most values of the core at a time. */
    private readonly most = MOST_AT_ONCE,
  ) {
    this.target = concurrency;
  }

  /** The ids of unanswered values, including forgotten values. */
  get unanswered(): Loan[] {
    return this.given.slice(this.head);
  }

  /** The ids of the unanswered values from `from` to `to`, without the forgotten ones. */
  held(from = 0, to?: number): Loan[] {
    return this.unanswered.slice(from, to).filter((id) => !this.forgotten.has(id));
  }

  /** Milliseconds since the earliest possible start of the oldest call; 0 without calls. */
  age(now: number): number {
    const [oldest] = this.open;
    return oldest ? now - oldest.since : 0;
  }

  get count(): number {
    return this.given.length - this.head;
  }

  get heldCount(): number {
    return this.count - this.forgotten.size;
  }

  /** Whether the core may receive values. */
  get feedable(): boolean {
    return this.ready && !this.leaving;
  }

  /**
   * The number of values that the core should receive now: some if a call could begin at once, or
   * if half of the values are answered, so that the core computes while the next ones come.
   */
  get room(): number {
    const { count, target } = this;
    if (!this.feedable || this.careful) return 0;
    return count < this.concurrency || count * 2 <= target ? target - count : 0;
  }

  give(ids: Loan[], careful: boolean, now: number): void {
    for (const id of ids) this.given.push(id);
    this.careful = careful;
    this.updateOpen(now);
  }

  /** The core announces the call for `id`; later values of the core have not begun. */
  started(id: Loan, now: number): void {
    let begins = false;
    for (const call of this.open) {
      begins = begins || call.id === id;
      if (begins) call.since = now;
    }
    this.began = this.began || begins;
  }

  /** Removes the answered ids; returns the numbers of answers and of errors. */
  answered(frame: Uint8Array, now: number): { count: number; errors: number } {
    const cursor = new ResultsCursor(frame);
    let count = 0;
    let errors = 0;
    let micros = 0;
    while (cursor.next()) {
      this.began = this.take(cursor.loan) || this.began;
      count++;
      micros += cursor.micros;
      if (cursor.tag === RESULT_ERROR) errors++;
    }
    this.learn(count, micros);
    if (this.count === 0) this.careful = this.began = false;
    this.compact();
    this.updateOpen(now);
    return { count, errors };
  }

  /** Whether the core still has forgotten values to answer. */
  get stale(): boolean {
    return this.forgotten.size > 0;
  }

  /**
   * Removes `id` from the forgotten values and returns whether it was among them. Each answer
   * asks once.
   */
  removeForgotten(id: Loan): boolean {
    return this.forgotten.delete(id);
  }

  /** Forgets all values except those accepted by `keep`; their answers will be dropped. */
  forget(keep: (id: Loan) => boolean): void {
    for (const id of this.unanswered) if (!keep(id)) this.forgotten.add(id);
  }

  isForgotten(id: Loan): boolean {
    return this.forgotten.has(id);
  }

  /** Removes `id` from the unanswered values and returns whether it was among them. */
  private take(id: Loan): boolean {
    const at = this.given.indexOf(id, this.head);
    if (at === this.head) this.head++;
    else if (at > 0) this.given.splice(at, 1);
    return at >= 0;
  }

  private compact(): void {
    if (this.head <= this.count) return;
    this.given = this.unanswered;
    this.head = 0;
  }

  /**
   * Adapts the target to the duration of calls. The estimate follows slower calls at once, so that
   * few values wait behind them.
   */
  private learn(count: number, micros: number): void {
    const mean = Math.min(AHEAD, Math.floor(micros / (count || 1)));
    const quicker = this.estimate - mean;
    this.estimate = Math.max(mean, this.estimate - Math.ceil((quicker * 3) / 10));
    const ideal = Math.floor(AHEAD / (this.estimate || 1)) * this.concurrency;
    this.target = Math.min(ideal, this.target * 2, this.most);
  }

  /** Updates `open`. Calls begin in the order of their values. */
  private updateOpen(now: number): void {
    this.open = this.given
      .slice(this.head, this.head + this.concurrency)
      .map((id) => this.open.find((call) => call.id === id) || { id, since: now, reported: false });
  }
}
