const FIRST = 0.5;
const LONGEST = 30;

/**
 * Seconds until the next attempt to connect: 0.5 s at first, then twice as long each time.
 *
 * @param failures failed attempts since the connection was lost, at least 1
 */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST, FIRST * Math.pow(2, Math.min(failures - 1, 20)));
}
