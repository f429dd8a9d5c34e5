/**
 * A wake lock of the screen.
 *
 * @spoken by browsers
 */
export interface ScreenLock {
  release(): Promise<void>;
}

/**
 * Keeps the screen on, with one lock at a time. A browser ends the lock of a hidden page; the caller
 * then wants no lock until the page is visible.
 */
export class Awake {
  private lock: Promise<ScreenLock> | null = null;

  constructor(private readonly request: () => Promise<ScreenLock>) {}

  /** Takes a lock, or releases the lock. The caller calls this method often. */
  set(wanted: boolean): void {
    const { lock } = this;
    if (wanted === (lock !== null)) return;
    this.lock = null;
    if (lock) {
      lock.then((held) => held.release()).catch(() => undefined);
    } else {
      const asked = (this.lock = this.request());
      asked.catch(() => {
        // The next call asks again.
        if (this.lock === asked) this.lock = null;
      });
    }
  }
}
