const BAR_MS = 5000;
/** The number of bars: five minutes. */
const BARS = 60;
const HEIGHT = 16;

/** The items of the last five minutes. */
export class History {
  /** The number of items in each bar, the present bar first. */
  private readonly counts: number[] = [];
  private present = -1;
  private sampledAt = 0;
  private done = 0;

  /**
   * Records the total `done` at `now`.
   *
   * @returns the items per second of the last 5 to 10 seconds, and the bars of a picture as a path,
   *   16 high, from -60 to 0
   */
  sample(now: number, done: number): { perSecond: number; path: string } {
    const { counts } = this;
    // New items count for the bar of the previous sample, in which their time began.
    const present = Math.floor(this.sampledAt / BAR_MS);
    for (let added = Math.min(present - this.present, BARS); added > 0; added--) counts.unshift(0);
    counts.splice(BARS);
    counts[0] += done - this.done;
    this.present = present;
    this.sampledAt = now;
    this.done = done;
    const [first, second = 0] = counts;
    const most = Math.max(1, ...counts);
    return {
      perSecond: ((first + second) * 1000) / (now - (present - 1) * BAR_MS),
      path: counts.map((n, i) => `M${-i} ${HEIGHT}v-${Math.ceil((HEIGHT * n) / most)}`).join(''),
    };
  }
}
