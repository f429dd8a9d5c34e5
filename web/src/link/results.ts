import { KIND_RESULTS, ResultsCursor } from '../frames.ts';
import type { Loan } from '../frames.ts';

/** The loans of the results in a frame. */
export function resultIds(frame: Uint8Array): Loan[] {
  const ids: Loan[] = [];
  const cursor = new ResultsCursor(frame);
  while (cursor.next()) ids.push(cursor.loan);
  return ids;
}

/** A copy of the frame without the dropped results; null if no result is left. */
export function withoutResults(frame: Uint8Array, drops: (id: Loan) => boolean): Uint8Array | null {
  const copy = new Uint8Array(frame.length);
  copy[0] = KIND_RESULTS;
  let length = 1;
  const cursor = new ResultsCursor(frame);
  while (cursor.next()) {
    if (drops(cursor.loan)) continue;
    copy.set(frame.subarray(cursor.from, cursor.end), length);
    length += cursor.end - cursor.from;
  }
  return length > 1 ? copy.slice(0, length) : null;
}
