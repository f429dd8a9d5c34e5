/** Carries pieces between the link and a data channel that cannot leave the page, without a look into them. */

import { LAST } from '../link/pieces.ts';
import { Pipe } from '../link/pipe.ts';
import type { FromPeer } from '../page-messages.ts';

/** The link is told what went out at the latest when it is so many bytes. */
const TELL_BYTES = 1 << 15;
/** More pieces than these do not wait for the rest of their frame. */
const MOST_PIECES = 4;

export class Ferry {
  private readonly pipe: Pipe;
  /** Received, and not yet passed on. */
  private pieces: ArrayBuffer[] = [];
  /** Bytes that have left the data channel, as far as the link knows. */
  private told = 0;

  constructor(
    channel: RTCDataChannel,
    private readonly tell: (message: FromPeer, transfer: ArrayBuffer[]) => void,
    opened: () => void,
    closed: () => void,
  ) {
    this.pipe = new Pipe(channel, { opened, closed, piece: (piece) => this.receive(piece), drained: () => this.account() });
  }

  /** Pieces for the master. */
  take(pieces: ArrayBuffer): void {
    this.pipe.take(new Uint8Array(pieces));
    this.account();
  }

  close(closed: () => void): void {
    this.pipe.close(closed);
  }

  private receive(piece: ArrayBuffer): void {
    this.pieces.push(piece);
    if (new Uint8Array(piece)[0] & LAST || this.pieces.length > MOST_PIECES) this.pass();
  }

  private account(): void {
    if (this.pipe.gone - this.told >= TELL_BYTES) this.pass();
  }

  /** To the link: what was received, and how much of its own went out. */
  private pass(): void {
    const pieces = this.pieces;
    this.pieces = [];
    this.told = this.pipe.gone;
    this.tell({ type: 'pieces', pieces, gone: this.told }, pieces);
  }
}
