/** What the link knows of one core: what it was given, what it is at, how fast it is. */

import { RESULT_ERROR, ResultsCursor } from '../protocol.ts';
import type { Loan } from '../protocol.ts';

/** A core is given about this much at a time, so that the rest can still go to another. */
const FED_MS = 20;
const MOST_AT_ONCE = 1 << 16;
/** How fast the estimate follows calls that get quicker; it follows slower ones at once. */
const FORGETTING = 0.3;

/** A call that may be going on, seen from outside. */
export interface OpenCall {
  id: Loan;
  /** Milliseconds; a call cannot have begun earlier. */
  since: number;
  /** The master was told that it takes long. */
  told: boolean;
}

export class Seat {
  ready = false;
  /** When it was first seen loading the function. */
  loadingSince = NaN;
  /** The value it has must be alone with it. */
  careful = false;
  /** It is to end when it has answered what it has. */
  leaving = false;
  /** Calls that may be going on, oldest first: at most as many as the core may have open. */
  open: OpenCall[] = [];
  private given: Loan[] = [];
  private head = 0;
  private forgotten = new Set<Loan>();
  private target = 1;
  /** Estimated milliseconds per call. */
  private estimate = 0;

  constructor(
    readonly core: number,
    private readonly concurrency: number,
    /** A bound on the values it may have at a time. */
    private readonly most = MOST_AT_ONCE,
  ) {}

  /** Ids given and not answered, forgotten ones too. */
  get unanswered(): Loan[] {
    return this.given.slice(this.head);
  }

  /** Those of `unanswered` that somebody waits for. */
  get held(): Loan[] {
    return this.forgotten.size === 0 ? this.unanswered : this.unanswered.filter((id) => !this.forgotten.has(id));
  }

  get count(): number {
    return this.given.length - this.head;
  }

  get heldCount(): number {
    return this.count - this.forgotten.size;
  }

  /** How many values it should get now. */
  get room(): number {
    if (!this.ready || this.careful || this.leaving) return 0;
    // Half of what it was given is the time in which the next ones reach it.
    return this.count <= this.target / 2 ? this.target - this.count : 0;
  }

  give(ids: Loan[], careful: boolean, now: number): void {
    for (const id of ids) this.given.push(id);
    this.careful = careful;
    this.look(now);
  }

  /** The core says that it begins this call: those that were given after it begin later. */
  started(id: Loan, now: number): void {
    const at = this.open.findIndex((call) => call.id === id);
    if (at >= 0) for (const call of this.open.slice(at)) call.since = now;
  }

  /** Takes the answered ids off; returns how many there were and how many were errors. */
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
    this.look(now);
    return { count, errors };
  }

  /** Whether answers are to come that nobody waits for. */
  get stale(): boolean {
    return this.forgotten.size > 0;
  }

  /** Whether nobody waits for this answer any more; asked once per answer. */
  dropsAnswer(id: Loan): boolean {
    return this.forgotten.delete(id);
  }

  /** What it has given up on: its answers will be dropped. */
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

  /** Brings `open` up to date: calls begin in the order in which their values were given. */
  private look(now: number): void {
    const open: OpenCall[] = [];
    const end = Math.min(this.given.length, this.head + this.concurrency);
    for (let i = this.head; i < end; i++) {
      const id = this.given[i];
      open.push(this.open.find((call) => call.id === id) || { id, since: now, told: false });
    }
    this.open = open;
  }
}
