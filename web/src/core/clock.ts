/** Calls for which the exact clock may be read once: two readings per call would cost 40 % of the speed. */
const LONGEST_STRIDE = 32;

/**
 * Charges compute time to synchronous calls, with one reading of the exact clock for several when they are quick.
 * A coarse clock, six times cheaper, tells after every call whether it was. Each is charged the mean of those before
 * it, and the one at which the exact clock is read the rest, so that sums are right.
 */
export class CallClock {
  /** The last reading, in milliseconds; at most about one old after a call. */
  last: number;
  private lastTick: number;
  private stride = 1;
  private calls = 0;
  private mean = 0;

  /**
   * @param read the exact clock, in milliseconds
   * @param tick the coarse clock: whole milliseconds, only compared with its own last reading
   */
  constructor(
    private readonly read: () => number,
    private readonly tick: () => number,
  ) {
    this.last = read();
    this.lastTick = tick();
  }

  /** Reads the clock: what passed until now is nobody's compute time. */
  restart(): void {
    this.last = this.read();
    this.lastTick = this.tick();
    this.calls = 0;
  }

  /** The compute time, in microseconds, of the call that has just ended. */
  charge(): number {
    const tick = this.tick();
    const quick = tick === this.lastTick;
    if (++this.calls < this.stride && quick) return Math.round(this.mean);
    this.lastTick = tick;
    this.stride = quick ? Math.min(LONGEST_STRIDE, this.stride * 2) : 1;
    return this.settle();
  }

  private settle(): number {
    const now = this.read();
    const spent = (now - this.last) * 1000;
    const own = Math.max(0, spent - this.mean * (this.calls - 1));
    this.mean = spent / this.calls;
    this.last = now;
    this.calls = 0;
    return Math.round(own);
  }
}
