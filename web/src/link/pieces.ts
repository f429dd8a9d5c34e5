/**
 * Pieces: on a data channel, each frame is sent as one or more pieces. A piece has one flag byte
 * and at most 16 KiB - 1 bytes of the frame. Pieces of different frames do not mix.
 */

import { Malformed, textAt, utf8 } from '../bytes.ts';

/** Longest piece in bytes, including its flag byte. */
export const PIECE = 16_384;
export const LAST = 1;
const TEXT = 2;

/** Longest frame that an assembler accepts, in bytes. */
const LONGEST_FRAME = (1 << 20) + (1 << 16);

/**
 * The pieces of a frame, one after the other. Each piece except the last is `PIECE` bytes long.
 */
export function piecesOf(frame: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const kind = typeof frame === 'string' ? TEXT : 0;
  const bytes = typeof frame === 'string' ? utf8(frame) : frame;
  const room = PIECE - 1;
  const count = Math.max(1, Math.ceil(bytes.length / room));
  const pieces = new Uint8Array(bytes.length + count);
  for (let i = 0; i < count; i++) {
    pieces[i * PIECE] = i < count - 1 ? kind : kind + LAST;
    pieces.set(bytes.subarray(i * room, (i + 1) * room), i * PIECE + 1);
  }
  return pieces;
}

/** Joins pieces to frames. */
export class PieceAssembler {
  private pieces: Uint8Array[] = [];
  private length = 0;

  /**
   * Adds a piece; returns the complete frame, or null if pieces are missing. Throws `Malformed`.
   */
  add(data: ArrayBuffer): Uint8Array | string | null {
    const piece = new Uint8Array(data);
    const flags = piece[0];
    if (!(flags <= LAST + TEXT) || piece.length > PIECE)
      throw new Malformed('a message that is no piece of a frame');
    this.length += piece.length - 1;
    if (this.length > LONGEST_FRAME) throw new Malformed('a frame that is too long');
    this.pieces.push(piece);
    if (!(flags & LAST)) return null;
    const frame = this.joined();
    return flags & TEXT ? textAt(frame, 0, frame.length) : frame;
  }

  private joined(): Uint8Array {
    const { pieces } = this;
    this.pieces = [];
    const frame = pieces.length > 1 ? new Uint8Array(this.length) : pieces[0].subarray(1);
    this.length = 0;
    if (pieces.length > 1)
      pieces.reduce((at, piece) => (frame.set(piece.subarray(1), at), at + piece.length - 1), 0);
    return frame;
  }
}
