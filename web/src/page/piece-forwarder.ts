/**
 * Forwards pieces, unread, between the link and a data channel that the browser cannot transfer.
 */

import { LAST } from '../link/pieces.ts';
import { Pipe } from '../link/pipe.ts';
import type { FromPeer } from '../page-messages.ts';

/** Sent bytes after which the forwarder informs the link. */
const REPORT_BYTES = 1 << 15;
/** Most pieces that wait for the rest of their frame. */
const MOST_PIECES = 4;

export class PieceForwarder {
  private readonly pipe: Pipe;
  /** Received pieces not yet forwarded to the link. */
  private pieces: ArrayBuffer[] = [];
  /** The number of sent bytes in the last message to the link. */
  private reportedGone = 0;

  constructor(
    channel: RTCDataChannel,
    private readonly tell: (message: FromPeer, transfer: ArrayBuffer[]) => void,
    opened: () => void,
    closed: () => void,
  ) {
    this.pipe = new Pipe(channel, {
      opened,
      closed,
      piece: (piece) => this.receive(piece),
      drained: () => this.reportSent(),
    });
  }

  /** Takes pieces for the master. */
  take(pieces: ArrayBuffer): void {
    this.pipe.take(new Uint8Array(pieces));
    this.reportSent();
  }

  close(closed: () => void): void {
    this.pipe.close(closed);
  }

  private receive(piece: ArrayBuffer): void {
    this.pieces.push(piece);
    if (new Uint8Array(piece)[0] & LAST || this.pieces.length > MOST_PIECES) this.forward();
  }

  private reportSent(): void {
    if (this.pipe.gone - this.reportedGone >= REPORT_BYTES) this.forward();
  }

  /** Sends the link the received pieces, and the number of sent bytes. */
  private forward(): void {
    const pieces = this.pieces;
    this.pieces = [];
    this.reportedGone = this.pipe.gone;
    this.tell({ type: 'pieces', pieces, gone: this.reportedGone }, pieces);
  }
}
