import { setTimeout as pause } from 'node:timers/promises';

/** As long as the browser's driver waits. */
const LONGEST = 30_000;

/** Waits until `holds` is true. */
export async function eventually(holds: () => boolean) {
  const end = Date.now() + LONGEST;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`in vain: ${holds}`);
    await pause(10);
  }
}
