/** The link's knowledge of one core: its values, its open calls and its speed. */

import { RESULT_ERROR, ResultsCursor } from '../protocol.ts';
import type { Loan } from '../protocol.ts';

/** Milliseconds of work that a core receives at a time, so that other cores can take the rest. */
const FED_MS = 20;
const MOST_AT_ONCE = 1 << 16;
/**
 * Weight of a new mean when calls get quicker. When calls get slower, the estimate follows at
 * once.
 */
const FORGETTING = 0.3;

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
  private target = 1;
  /** Estimated duration of a call, in milliseconds. */
  private estimate = 0;

  constructor(
    readonly core: number,
    private readonly concurrency: number,
    /** Most values of the core at a time. */
    private readonly most = MOST_AT_ONCE,
  ) {}

  /** The ids of unanswered values, including forgotten values. */
  get unanswered(): Loan[] {
    return this.given.slice(this.head);
  }

  /** The ids of unanswered values without the forgotten ones. */
  get held(): Loan[] {
    return this.forgotten.size === 0
      ? this.unanswered
      : this.unanswered.filter((id) => !this.forgotten.has(id));
  }

  get count(): number {
    return this.given.length - this.head;
  }

  get heldCount(): number {
    return this.count - this.forgotten.size;
  }

  /** The number of values that the core should receive now. */
  get room(): number {
    if (!this.ready || this.careful || this.leaving) return 0;
    // The core computes the remaining half while the next values are on their way.
    return this.count <= this.target / 2 ? this.target - this.count : 0;
  }

  give(ids: Loan[], careful: boolean, now: number): void {
    for (const id of ids) this.given.push(id);
    this.careful = careful;
    this.updateOpen(now);
  }

  /** The core announces the call for `id`; later values of the core have not begun. */
  started(id: Loan, now: number): void {
    const at = this.open.findIndex((call) => call.id === id);
    if (at >= 0) for (const call of this.open.slice(at)) call.since = now;
  }

  /** Removes the answered ids; returns the numbers of answers and of errors. */
  answered(frame: Uint8Array, now: number): { count: number; errors: number } {
    const cursor = new ResultsCursor(frame);
    let count = 0;
    let errors = 0;
    let micros = 0;
    while (cursor.next()) {
      this.take(cursor.loan);
      count++;
      micros += cursor.micros;
      if (cursor.tag === RESULT_ERROR) errors++;
    }
    this.learn(count, micros / 1000);
    this.careful = false;
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

  private take(id: Loan): void {
    if (this.given[this.head] === id) {
      this.head++;
      return;
    }
    const at = this.given.indexOf(id, this.head);
    if (at >= 0) this.given.splice(at, 1);
  }

  private compact(): void {
    if (this.head < 4096 || this.head * 2 < this.given.length) return;
    this.given = this.given.slice(this.head);
    this.head = 0;
  }

  private learn(count: number, ms: number): void {
    if (count === 0) return;
    const mean = ms / count;
    this.estimate = Math.max(mean, this.estimate + FORGETTING * (mean - this.estimate));
    const ideal = Math.max(1, Math.floor(FED_MS / Math.max(this.estimate, FED_MS / MOST_AT_ONCE)));
    this.target = Math.max(1, Math.min(ideal * this.concurrency, this.target * 2, this.most));
  }

  /** Updates `open`. Calls begin in the order of their values. */
  private updateOpen(now: number): void {
    const open: OpenCall[] = [];
    const end = Math.min(this.given.length, this.head + this.concurrency);
    for (let i = this.head; i < end; i++) {
      const id = this.given[i];
      open.push(this.open.find((call) => call.id === id) || { id, since: now, reported: false });
    }
    this.open = open;
  }
}
