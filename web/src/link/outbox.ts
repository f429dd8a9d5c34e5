/**
 * Results on their way to the master. The outbox cuts long frames into parts, and limits the
 * bytes in the socket's buffer, so that a ping never waits long.
 */

import { partCount, sendPart } from '../frames.ts';
import type { Loan } from '../frames.ts';
import { resultIds, withoutResults } from './results.ts';

export interface Wire {
  /** Bytes accepted by the socket but not yet sent. */
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
}

/** The first and lowest limit of bytes in the socket's buffer. */
const LEAST_BUFFERED = 256 * 1024;
/** The highest limit of bytes in the buffer, for a fast network. */
const MOST_BUFFERED = 8 << 20;

export class Outbox {
  private frames: Uint8Array[] = [];
  /** The number of sent parts of the first frame. */
  private parts = 0;
  /**
   * The present limit. The limit doubles when the network has emptied the buffer between two
   * looks, and halves when more than half was left.
   */
  private limit = LEAST_BUFFERED;
  /** Whether the limit held frames back at the last look. */
  private full = false;

  add(frame: Uint8Array): void {
    this.frames.push(frame);
  }

  /** Sends as much as the buffer should take now; returns whether frames are left. */
  pump(wire: Wire): boolean {
    let buffered = wire.bufferedAmount;
    if (this.full) this.adapt(buffered);
    while (this.frames.length > 0 && buffered < this.limit)
      buffered += this.sendNext(wire, this.frames[0]);
    this.full = this.frames.length > 0;
    return this.full;
  }

  private adapt(buffered: number): void {
    if (buffered === 0) this.limit = Math.min(this.limit * 2, MOST_BUFFERED);
    else if (buffered > this.limit / 2) this.limit = Math.max(this.limit / 2, LEAST_BUFFERED);
  }

  /** Starts a partly sent frame again, because the link was lost. */
  rewind(): void {
    this.parts = 0;
    this.limit = LEAST_BUFFERED;
    this.full = false;
  }

  get empty(): boolean {
    return this.frames.length === 0;
  }

  ids(): Loan[] {
    return ([] as Loan[]).concat(...this.frames.map(resultIds));
  }

  /**
   * Drops all results except those accepted by `kept`. A partly sent frame starts again, so the
   * caller uses `keep` only on a fresh or ending channel.
   */
  keep(kept: (id: Loan) => boolean): void {
    this.rewind();
    this.frames = this.frames
      .map((frame) => withoutResults(frame, (id) => !kept(id)))
      .filter((frame): frame is Uint8Array => frame !== null);
  }

  /** Sends a frame or its next part; returns the number of sent bytes. */
  private sendNext(wire: Wire, frame: Uint8Array): number {
    const count = partCount(frame.length);
    if (count === 0) {
      wire.send(frame as Uint8Array<ArrayBuffer>);
      this.frames.shift();
      return frame.length;
    }
    const length = sendPart(frame, this.parts++, (data) => wire.send(data));
    if (this.parts === count) {
      this.parts = 0;
      this.frames.shift();
    }
    return length;
  }
}
