/** Timers: the program asks when the next one is due, and runs those that are. */

interface Timer {
  at: number;
  /** The order in which timers of the same time run. */
  order: number;
  run: () => void;
  /** Milliseconds between two runs; `null` for a single run. */
  every: number | null;
}

export class Timers {
  private readonly timers = new Map<number, Timer>();
  private last = 0;
  private order = 0;

  constructor(
    private readonly now: () => number,
    private readonly uncaught: (error: unknown) => void,
  ) {}

  add(run: () => void, ms: unknown, repeats: boolean): number {
    const delay = Math.max(repeats ? 1 : 0, Number(ms) || 0);
    const id = ++this.last;
    const every = repeats ? delay : null;
    this.timers.set(id, {
      at: this.now() + delay,
      order: ++this.order,
      run,
      every,
    });
    return id;
  }

  remove(id: unknown): void {
    this.timers.delete(id as number);
  }

  untilNext(): number {
    let next = Infinity;
    for (const timer of this.timers.values()) next = Math.min(next, timer.at);
    return next === Infinity ? -1 : Math.max(0, next - this.now());
  }

  /** Runs the first timer that is due. The jobs of a timer come before the next timer. */
  runNext(): void {
    const now = this.now();
    let first: [number, Timer] | undefined;
    for (const entry of this.timers) {
      const [, timer] = entry;
      if (timer.at > now) continue;
      if (
        !first ||
        timer.at - first[1].at < 0 ||
        (timer.at === first[1].at && timer.order < first[1].order)
      )
        first = entry;
    }
    if (!first) return;
    const [id, timer] = first;
    if (timer.every === null) this.timers.delete(id);
    else timer.at = now + timer.every;
    try {
      timer.run();
    } catch (error) {
      this.uncaught(error);
    }
  }
}

/** The global functions of timers. */
export function timerGlobals(timers: Timers): Record<string, unknown> {
  type Run = (...args: unknown[]) => void;
  const bound = (run: unknown, args: unknown[]) => {
    if (typeof run !== 'function') throw new TypeError('a timer needs a function');
    return () => (run as Run)(...args);
  };
  const remove = (id: unknown) => timers.remove(id);
  return {
    setTimeout: (run: unknown, ms: unknown, ...args: unknown[]) =>
      timers.add(bound(run, args), ms, false),
    setInterval: (run: unknown, ms: unknown, ...args: unknown[]) =>
      timers.add(bound(run, args), ms, true),
    clearTimeout: remove,
    clearInterval: remove,
    queueMicrotask: (run: Run) => void Promise.resolve().then(() => run()),
  };
}
