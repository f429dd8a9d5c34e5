import { KIND_RESULTS, ResultsCursor } from '../protocol.ts';

/** Ids of the results in a frame. */
export function resultIds(frame: Uint8Array): number[] {
  const ids: number[] = [];
  const cursor = new ResultsCursor(frame);
  while (cursor.next()) ids.push(cursor.id);
  return ids;
}

/** The frame without some results; null when none is left. */
export function withoutResults(frame: Uint8Array, drops: (id: number) => boolean): Uint8Array | null {
  const copy = new Uint8Array(frame.length);
  copy[0] = KIND_RESULTS;
  let length = 1;
  const cursor = new ResultsCursor(frame);
  while (cursor.next()) {
    if (drops(cursor.id)) continue;
    copy.set(frame.subarray(cursor.from, cursor.end), length);
    length += cursor.end - cursor.from;
  }
  return length > 1 ? copy.slice(0, length) : null;
}
