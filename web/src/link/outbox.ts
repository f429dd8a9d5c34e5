/** Results on their way to the master: cut into parts, and never so many in the socket that a ping would wait long. */

import { partsOf, sendPart } from '../protocol.ts';
import type { Loan } from '../protocol.ts';
import { resultIds, withoutResults } from './results.ts';

export interface Wire {
  /** Bytes that the socket has taken and not yet sent. */
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
}

/** Bytes in the socket at first, and at least. */
const LEAST_BUFFERED = 256 * 1024;
/** And at most, where the network takes them in a moment. */
const MOST_BUFFERED = 8 << 20;

export class Outbox {
  private frames: Uint8Array[] = [];
  /** Parts of the first frame that went out. */
  private parts = 0;
  /** Follows the network: doubled when it took all of it between two looks, halved when it left more than half. */
  private limit = LEAST_BUFFERED;
  /** The limit held something back at the last look. */
  private full = false;

  add(frame: Uint8Array): void {
    this.frames.push(frame);
  }

  /** Sends what the wire should take now; true when there is more. */
  pump(wire: Wire): boolean {
    let buffered = wire.bufferedAmount;
    if (this.full) this.adapt(buffered);
    while (this.frames.length > 0 && buffered < this.limit) buffered += this.sendNext(wire, this.frames[0]);
    this.full = this.frames.length > 0;
    return this.full;
  }

  private adapt(buffered: number): void {
    if (buffered === 0) this.limit = Math.min(this.limit * 2, MOST_BUFFERED);
    else if (buffered > this.limit / 2) this.limit = Math.max(this.limit / 2, LEAST_BUFFERED);
  }

  /** The link was lost: a frame that was not out as a whole goes again from its start. */
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

  /** Drops every result but these; not while a frame is being cut. */
  keep(kept: (id: Loan) => boolean): void {
    this.rewind();
    this.frames = this.frames
      .map((frame) => withoutResults(frame, (id) => !kept(id)))
      .filter((frame): frame is Uint8Array => frame !== null);
  }

  /** Gives how many bytes went. */
  private sendNext(wire: Wire, frame: Uint8Array): number {
    const count = partsOf(frame.length);
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
