/**
 * A data channel in the thread that owns it: the link's thread, or the page's in browsers which
 * cannot transfer data channels.
 */

import { PIECE } from './pieces.ts';

export interface PipeEvents {
  opened(): void;
  piece(piece: ArrayBuffer): void;
  /** The data channel has sent some of its bytes. */
  drained(): void;
  closed(): void;
}

/**
 * Most bytes in the buffer of the data channel, so that a new message does not wait long. Bytes
 * in flight do not count: SCTP limits them according to the network, so this limit can stay
 * fixed.
 */
const BUFFERED_LIMIT = 1 << 16;
/** Milliseconds for the remaining bytes to go out after the close. */
const LINGER_MS = 2000;

export class Pipe {
  /** Buffers of one or more pieces, and the position of the next piece in the first buffer. */
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

  /** The total number of bytes that have left the data channel. */
  get gone(): number {
    return this.given - this.channel.bufferedAmount;
  }

  /** Takes pieces for sending. Each piece except the last is `PIECE` bytes long. */
  take(pieces: Uint8Array<ArrayBuffer>): void {
    this.queue.push(pieces);
    this.pump(BUFFERED_LIMIT);
  }

  /** Sends the remaining pieces, then closes. */
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
