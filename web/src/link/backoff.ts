const FIRST_MS = 200;
const LONGEST_MS = 2000;
const PATIENT_MS = 30_000;
const PATIENT_AFTER_MS = 10 * 60_000;
const BETTER_MS = 10_000;
const BETTER_LONGEST_MS = 10 * 60_000;

/**
 * Milliseconds until the next attempt to connect: 0.2 to 2 s in the first ten minutes, then up to
 * 30 s.
 *
 * @param failures failed attempts since the link was lost
 * @param away milliseconds since the link was lost
 * @param random a number in [0, 1), so that devices of a lost master do not return all at once
 */
export function backoff(failures: number, away: number, random: number): number {
  const longest =
    away < PATIENT_AFTER_MS
      ? LONGEST_MS
      : Math.min(PATIENT_MS, LONGEST_MS + (away - PATIENT_AFTER_MS) / 10);
  const full = Math.min(longest, FIRST_MS * Math.pow(2, failures));
  return Math.max(FIRST_MS, full * (0.5 + random / 2));
}

/**
 * Milliseconds until the next attempt over a better route: up to 10 s at first, up to 10 min
 * later.
 */
export function betterDelay(tries: number, random: number): number {
  return Math.min(BETTER_LONGEST_MS, BETTER_MS * Math.pow(2, tries)) * (0.5 + random / 2);
}
