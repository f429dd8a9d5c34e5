/** A data channel, on the thread that has it: the link's, or the page's where a data channel cannot leave that. */

import { PIECE } from './pieces.ts';

export interface PipeEvents {
  opened(): void;
  piece(piece: ArrayBuffer): void;
  /** Bytes have left the data channel. */
  drained(): void;
  closed(): void;
}

/**
 * Bytes with the data channel at a time, so that what is said next does not wait long. Those under way are not among them:
 * they are SCTP's to bound, and grow with the link, which is why this needs not.
 */
const BUFFERED_LIMIT = 1 << 16;
/** What was given before the end has this long to go out. */
const LINGER_MS = 2000;

export class Pipe {
  /** Pieces, many in one buffer, and where in the first buffer the next one starts. */
  private queue: Uint8Array<ArrayBuffer>[] = [];
  private at = 0;
  private given = 0;

  constructor(
    private readonly channel: RTCDataChannel,
    events: PipeEvents,
  ) {
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = BUFFERED_LIMIT / 2;
    channel.onopen = () => events.opened();
    channel.onclose = () => events.closed();
    channel.onmessage = ({ data }) => events.piece(data);
    channel.onbufferedamountlow = () => {
      this.pump(BUFFERED_LIMIT);
      events.drained();
    };
  }

  /** How many bytes have left it, in all. */
  get gone(): number {
    return this.given - this.channel.bufferedAmount;
  }

  /** Takes pieces: each `PIECE` bytes long but the last. */
  take(pieces: Uint8Array<ArrayBuffer>): void {
    this.queue.push(pieces);
    this.pump(BUFFERED_LIMIT);
  }

  /** Sends what it has taken, and closes. */
  close(closed: () => void): void {
    const { channel } = this;
    this.pump(Infinity);
    channel.onopen = channel.onmessage = channel.onbufferedamountlow = null;
    channel.onclose = closed;
    setTimeout(closed, channel.readyState === 'open' ? LINGER_MS : 0);
    channel.close();
  }

  private pump(limit: number): void {
    const { channel, queue } = this;
    while (queue.length > 0 && channel.readyState === 'open' && channel.bufferedAmount < limit) {
      const piece = queue[0].subarray(this.at, this.at + PIECE);
      channel.send(piece);
      this.given += piece.length;
      this.at += piece.length;
      if (this.at < queue[0].length) continue;
      queue.shift();
      this.at = 0;
    }
  }
}
