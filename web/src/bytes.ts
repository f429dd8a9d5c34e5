/**
 * Reads and writes varints (unsigned LEB128) and UTF-8, optimized for short ASCII texts, because
 * most items are short.
 */

/** Received data violates the protocol; the receiver closes the channel. */
export class Malformed extends Error {}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
const hasEncodeInto = typeof encoder.encodeInto === 'function';

/**
 * Below these lengths, a loop over character codes is faster than TextDecoder and TextEncoder.
 */
const SHORT_TO_DECODE = 24;
const SHORT_TO_ENCODE = 40;
/** Bytes of the longest varint: 2^53 - 1 needs 53 bits, and each byte holds seven. */
const MAX_VARINT_BYTES = 8;
const KEPT_CAPACITY = 1 << 18;

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes `text` as UTF-8 to `bytes`; returns whether the whole text fitted. */
export function encodeWhole(text: string, bytes: Uint8Array): boolean {
  return hasEncodeInto && encoder.encodeInto(text, bytes).read === text.length;
}

/** The UTF-8 text in `bytes[start, end)`. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < SHORT_TO_DECODE) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const code = bytes[at];
      if (code > 127) break;
      text += String.fromCharCode(code);
    }
    if (at === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** A reading position in a byte array. */
export class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  varint(): number {
    const { bytes, end } = this;
    if (this.at < end) {
      const first = bytes[this.at];
      if (first < 128) {
        this.at++;
        return first;
      }
    }
    return this.longVarint();
  }

  private longVarint(): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.at >= this.end) throw new Malformed('a frame is cut off');
      const byte = this.bytes[this.at++];
      value += (byte & 127) * unit;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      unit *= 128;
    }
    throw new Malformed('a frame is too large');
  }

  /** Skips `length` bytes and returns the position before them. */
  skip(length: number): number {
    const start = this.at;
    if (length > this.end - start) throw new Malformed('a frame is cut off');
    this.at = start + length;
    return start;
  }
}

export function varintSize(value: number): number {
  let size = 1;
  while (value > 127) {
    value = Math.floor(value / 128);
    size++;
  }
  return size;
}

/** A byte buffer that grows as needed. */
export class Writer {
  length = 0;
  private bytes: Uint8Array;

  constructor(capacity = 1 << 12) {
    this.bytes = new Uint8Array(capacity);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  varint(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    const bytes = this.bytes;
    while (value > 127) {
      bytes[this.length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    bytes[this.length++] = value;
  }

  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  /** Writes the length of `data`, then `data`. */
  sized(data: Uint8Array): void {
    this.varint(data.length);
    this.raw(data);
  }

  /** Writes the UTF-8 length of `text`, then its bytes. */
  text(text: string): void {
    if (text.length < SHORT_TO_ENCODE && this.ascii(text)) return;
    if (!hasEncodeInto) return this.sized(utf8(text));
    // The length precedes the bytes, but is known only afterwards. The writer reserves space for
    // the length of an ASCII text, and moves the bytes if the length needs more space.
    const guess = varintSize(text.length);
    this.reserve(text.length * 3 + MAX_VARINT_BYTES);
    const start = this.length + guess;
    const written = encoder.encodeInto(text, this.bytes.subarray(start)).written as number;
    const size = varintSize(written);
    if (size !== guess) this.bytes.copyWithin(this.length + size, start, start + written);
    this.varint(written);
    this.length += written;
  }

  private ascii(text: string): boolean {
    const count = text.length;
    this.reserve(count + 1);
    const bytes = this.bytes;
    let at = this.length + 1;
    for (let i = 0; i < count; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    bytes[this.length] = count;
    this.length = at;
    return true;
  }

  /** Returns the written bytes in a buffer of exactly their size, and empties the writer. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.length);
    taken.set(this.bytes.subarray(0, this.length));
    this.length = 0;
    if (this.bytes.length > KEPT_CAPACITY) this.bytes = new Uint8Array(KEPT_CAPACITY);
    return taken;
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, needed));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
