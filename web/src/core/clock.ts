/**
 * Most calls per reading of the exact clock. Two readings per call would cost 40 % of the speed.
 */
const LONGEST_STRIDE = 32;

/**
 * Measures the compute time of synchronous calls. Quick calls share one reading of the exact
 * clock. A coarse clock, six times cheaper, shows after each call whether the call was quick.
 * Each quick call is charged the mean of earlier calls; the call with the exact reading is
 * charged the rest, so that the sum is exact.
 */
export class CallClock {
  /**
   * The last reading of the exact clock, in milliseconds. After a call, the reading is at most
   * about 1 ms old.
   */
  last: number;
  private lastTick: number;
  private stride = 1;
  private calls = 0;
  private mean = 0;

  /**
   * @param read the exact clock, in milliseconds
   * @param tick the coarse clock, in whole milliseconds; only two readings of `tick` are compared
   */
  constructor(
    private readonly read: () => number,
    private readonly tick: () => number,
  ) {
    this.last = read();
    this.lastTick = tick();
  }

  /** Reads the clock; the time since the last reading is charged to no call. */
  restart(): void {
    this.last = this.read();
    this.lastTick = this.tick();
    this.calls = 0;
  }

  /** The compute time of the call that has just ended, in microseconds. */
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
