/**
 * Values which no core has yet, in the frames in which they came. The queue cuts frames to the
 * size that a core needs.
 */

import { KIND_VALUES, ValuesCursor } from '../frames.ts';
import type { Loan } from '../frames.ts';

interface Chunk {
  frame: Uint8Array;
  /** Position of the first entry not yet taken. */
  at: number;
  count: number;
}

export interface TakenValues {
  /** A complete values frame. */
  frame: Uint8Array<ArrayBuffer>;
  ids: Loan[];
  careful: boolean;
}

export class ValuesQueue {
  count = 0;
  private chunks: Chunk[] = [];

  /**
   * Adds a values frame after a check of every entry. For a malformed frame, throws `Malformed`
   * and adds nothing.
   */
  push(frame: Uint8Array): void {
    const cursor = new ValuesCursor(frame);
    let count = 0;
    while (cursor.next()) count++;
    if (count === 0) return;
    this.chunks.push({ frame, at: 1, count });
    this.count += count;
  }

  /**
   * Takes the next values, at most `most` and from one frame; null if there are none. A careful
   * value is taken alone, and only for an idle core.
   */
  take(most: number, idle: boolean): TakenValues | null {
    const chunk = this.chunks[0];
    if (!chunk || most < 1) return null;
    const ids: Loan[] = [];
    const cursor = new ValuesCursor(chunk.frame, chunk.at);
    let end = chunk.at;
    let careful = false;
    while (ids.length < most && !careful && cursor.next()) {
      if (cursor.careful && (ids.length > 0 || !idle)) break;
      careful = cursor.careful;
      ids.push(cursor.loan);
      end = cursor.end;
    }
    if (ids.length === 0) return null;
    const frame = slice(chunk, end);
    this.advance(chunk, ids.length, end);
    return { frame, ids, careful };
  }

  ids(): Loan[] {
    const ids: Loan[] = [];
    for (const chunk of this.chunks) each(chunk, (cursor) => ids.push(cursor.loan));
    return ids;
  }

  /** Removes the values for which `leaves` returns true, and returns their ids. */
  remove(leaves: (id: Loan) => boolean): Loan[] {
    const removed: Loan[] = [];
    const kept: Chunk[] = [];
    for (const chunk of this.chunks) {
      const before = removed.length;
      const stay: [number, number][] = [];
      each(chunk, (cursor) => {
        if (leaves(cursor.loan)) removed.push(cursor.loan);
        else stay.push([cursor.from, cursor.end]);
      });
      if (removed.length === before) kept.push(chunk);
      else if (stay.length > 0) kept.push(joined(chunk.frame, stay));
    }
    this.chunks = kept;
    this.count -= removed.length;
    return removed;
  }

  private advance(chunk: Chunk, taken: number, end: number): void {
    this.count -= taken;
    chunk.count -= taken;
    chunk.at = end;
    if (chunk.count === 0) this.chunks.shift();
  }
}

function each(chunk: Chunk, visit: (cursor: ValuesCursor) => void): void {
  const cursor = new ValuesCursor(chunk.frame, chunk.at);
  while (cursor.next()) visit(cursor);
}

/**
 * The entries from the chunk's first up to `end`, without a copy if they fill the whole buffer.
 */
function slice(chunk: Chunk, end: number): Uint8Array<ArrayBuffer> {
  const { frame, at } = chunk;
  if (at === 1 && end === frame.length && frame.byteLength === frame.buffer.byteLength)
    return frame as Uint8Array<ArrayBuffer>;
  const cut = new Uint8Array(1 + end - at);
  cut[0] = KIND_VALUES;
  cut.set(frame.subarray(at, end), 1);
  return cut;
}

function joined(frame: Uint8Array, entries: [number, number][]): Chunk {
  const length = entries.reduce((sum, [from, end]) => sum + end - from, 1);
  const copy = new Uint8Array(length);
  copy[0] = frame[0];
  let at = 1;
  for (const [from, end] of entries) {
    copy.set(frame.subarray(from, end), at);
    at += end - from;
  }
  return { frame: copy, at: 1, count: entries.length };
}
