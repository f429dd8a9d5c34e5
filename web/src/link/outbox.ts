/** Results on their way to the master: cut into parts, and never so many in the socket that a ping would wait long. */

import { part, partsOf } from '../protocol.ts';
import { resultIds, withoutResults } from './results.ts';

export interface Wire {
  /** Bytes that the socket has taken and not yet sent. */
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
}

const BUFFERED_LIMIT = 256 * 1024;

export class Outbox {
  private frames: Uint8Array[] = [];
  /** Parts of the first frame that went out. */
  private parts = 0;

  add(frame: Uint8Array): void {
    this.frames.push(frame);
  }

  /** Sends what the wire should take now; true when there is more. */
  pump(wire: Wire): boolean {
    while (this.frames.length > 0 && wire.bufferedAmount < BUFFERED_LIMIT) this.sendNext(wire, this.frames[0]);
    return this.frames.length > 0;
  }

  /** The link was lost: a frame that was not out as a whole goes again from its start. */
  rewind(): void {
    this.parts = 0;
  }

  get empty(): boolean {
    return this.frames.length === 0;
  }

  ids(): number[] {
    return ([] as number[]).concat(...this.frames.map(resultIds));
  }

  /** Drops every result but these; not while a frame is being cut. */
  keep(kept: (id: number) => boolean): void {
    this.rewind();
    this.frames = this.frames
      .map((frame) => withoutResults(frame, (id) => !kept(id)))
      .filter((frame): frame is Uint8Array => frame !== null);
  }

  private sendNext(wire: Wire, frame: Uint8Array): void {
    const count = partsOf(frame.length);
    if (count === 0) {
      wire.send(frame as Uint8Array<ArrayBuffer>);
      this.frames.shift();
      return;
    }
    wire.send(part(frame, this.parts++));
    if (this.parts < count) return;
    this.parts = 0;
    this.frames.shift();
  }
}
