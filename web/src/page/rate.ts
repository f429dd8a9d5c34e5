const WINDOW_MS = 5000;

/** Measures the items per second of the last seconds. */
export class Rate {
  private samples: { at: number; done: number }[] = [];

  /** Records the total `done` at `now`; returns the items per second. */
  sample(now: number, done: number): number {
    const { samples } = this;
    samples.push({ at: now, done });
    while (samples.length > 2 && now - samples[1].at >= WINDOW_MS) samples.shift();
    const first = samples[0];
    return now > first.at ? ((done - first.done) * 1000) / (now - first.at) : 0;
  }
}
