/** Quick calls read the clock once for so many at most: two readings per call would cost 40 % of the speed. */
const LONGEST_STRIDE = 32;
const QUICK_MS = 0.25;
const SLOW_MS = 0.5;

/**
 * Charges compute time to synchronous calls, one reading of the clock for several when they are quick.
 * Each is charged the mean of those before it, and the one at which the clock is read the rest, so that sums are right.
 */
export class CallClock {
  /** The last reading, in milliseconds. */
  last: number;
  private stride = 1;
  private calls = 0;
  private mean = 0;

  constructor(private readonly read: () => number) {
    this.last = read();
  }

  /** Reads the clock: what passed until now is nobody's compute time. */
  restart(): void {
    this.last = this.read();
    this.calls = 0;
  }

  /** The compute time, in microseconds, of the call that has just ended. */
  charge(): number {
    if (++this.calls < this.stride) return Math.round(this.mean);
    const now = this.read();
    const spent = now - this.last;
    const own = Math.max(0, spent * 1000 - this.mean * (this.calls - 1));
    this.mean = (spent * 1000) / this.calls;
    this.last = now;
    this.calls = 0;
    this.adapt(spent);
    return Math.round(own);
  }

  private adapt(spent: number): void {
    if (spent > SLOW_MS) this.stride = 1;
    else if (spent < QUICK_MS) this.stride = Math.min(LONGEST_STRIDE, this.stride * 2);
  }
}
