const WINDOW_MS = 5000;

/** Items a second over the last seconds. */
export class Rate {
  private samples: { at: number; done: number }[] = [];

  /** Items per second at `now`, when `done` items were done in all. */
  at(now: number, done: number): number {
    const { samples } = this;
    samples.push({ at: now, done });
    while (samples.length > 2 && now - samples[1].at >= WINDOW_MS) samples.shift();
    const first = samples[0];
    return now > first.at ? ((done - first.done) * 1000) / (now - first.at) : 0;
  }
}
