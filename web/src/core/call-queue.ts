import { ValuesCursor } from '../frames.ts';
import type { Loan } from '../frames.ts';
import type { PandoModule } from './function.ts';

/**
 * The values of a core that are not begun, first in, first out. The queue decodes each value when
 * its call begins.
 */
export class CallQueue {
  private frames: Uint8Array[] = [];
  private cursor: ValuesCursor | null = null;

  /** @param buffer the bundle's Buffer class, used for values of bytes */
  constructor(private readonly buffer?: PandoModule['Buffer']) {}

  push(frame: Uint8Array): void {
    if (frame.length > 1) this.frames.push(frame);
  }

  get empty(): boolean {
    return this.frames.length === 0 && (this.cursor === null || !this.cursor.more);
  }

  /** Moves to the next value; returns whether there is one. */
  next(): boolean {
    if (this.cursor !== null && this.cursor.next()) return true;
    const frame = this.frames.shift();
    this.cursor = frame ? new ValuesCursor(frame) : null;
    return this.cursor !== null && this.cursor.next();
  }

  get id(): number {
    return this.current.id;
  }

  get loan(): Loan {
    return this.current.loan;
  }

  get attempt(): number {
    return this.current.attempt;
  }

  get careful(): boolean {
    return this.current.careful;
  }

  value(): unknown {
    const value = this.current.value();
    if (this.buffer === undefined || !(value instanceof Uint8Array)) return value;
    return this.buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  private get current(): ValuesCursor {
    return this.cursor as ValuesCursor;
  }
}
