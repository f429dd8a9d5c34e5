/**
 * Binary frames, version 2. The first byte is the kind; every number is a varint.
 *
 *     1 values    id, tag, [attempt,] length, bytes          … repeated to the end of the frame
 *     2 results   id, tag, compute time in µs, length, bytes … repeated to the end of the frame
 *     3 part      total length of the whole frame, then some of its bytes
 *
 * The high bits of a tag are the number of the loan: how often the value had been lent before. An
 * attempt follows only if the number is not 0.
 *
 * The Rust side decodes the same golden frames: `fixtures/protocol.json`.
 */

import { Malformed, Reader, Writer, encodeWhole, textAt, utf8, varintSize } from './bytes.ts';

export { Malformed };

export const VERSION = 2;

export const KIND_VALUES = 1;
export const KIND_RESULTS = 2;
export const KIND_PART = 3;

/** The form of a value, in the two low bits of its tag. */
export const FORM_TEXT = 0;
export const FORM_BYTES = 1;
export const FORM_JSON = 2;
/** A bit of a value's tag: the core announces the value before its call. */
export const CAREFUL = 4;
/** The factors of the loan's number in the tags of values and of results. */
const VALUE_LOANS = 8;
const RESULT_LOANS = 4;

export const RESULT_TEXT = 0;
export const RESULT_BYTES = 1;
export const RESULT_JSON = 2;
export const RESULT_ERROR = 3;

/**
 * Longest part in bytes. A longer frame is cut into parts; a frame with several entries is at
 * most about this long.
 */
export const PART = 65_536;
/** Longest whole frame in bytes, so that one buffer can hold the frame on every device. */
const MAX_FRAME = 2 ** 31 - 1;

/**
 * The name of a loan: the value's id for the first loan, such as `7`, and `'7:2'` for a later
 * loan.
 */
export type Loan = number | string;

export type Form = 'text' | 'bytes' | 'json';
export type ErrorKind = 'error' | 'throw' | 'timeout' | 'undefined' | 'died' | 'json';

/**
 * The content of an error result.
 *
 * @spoken by the master
 */
export interface Failure {
  message: string;
  stack?: string;
  kind: ErrorKind;
}

/** The loan of the value `id`. `tag` holds the loan's number, multiplied by `factor`. */
function loanOf(id: number, tag: number, factor: number): Loan {
  return tag < factor ? id : `${id}:${Math.floor(tag / factor)}`;
}

/** Iterates over the entries of a values frame without decoding their content. */
export class ValuesCursor {
  id = 0;
  tag = 0;
  loan: Loan = 0;
  /** The number of earlier attempts. */
  attempt = 0;
  /** The entry is at `[from, end)`, its content at `[start, end)`. */
  from = 0;
  start = 0;
  end: number;
  private readonly reader: Reader;

  /** @param from where the first entry starts; by default after the kind byte */
  constructor(
    readonly frame: Uint8Array,
    from?: number,
  ) {
    if (from === undefined) expectKind(frame, KIND_VALUES);
    this.reader = new Reader(frame, from === undefined ? 1 : from);
    this.end = this.reader.at;
  }

  get more(): boolean {
    return this.reader.at < this.reader.end;
  }

  /** Moves to the next entry; returns false at the end of the frame. */
  next(): boolean {
    const reader = this.reader;
    if (reader.at >= reader.end) return false;
    this.from = reader.at;
    this.id = reader.varint();
    this.tag = reader.varint();
    if ((this.tag & 3) === 3) throw new Malformed('a frame of unknown kind');
    this.loan = loanOf(this.id, this.tag, VALUE_LOANS);
    this.attempt = this.tag < VALUE_LOANS ? 0 : reader.varint();
    this.start = reader.skip(reader.varint());
    this.end = reader.at;
    return true;
  }

  /** The argument for f. Bytes are a view into the frame. */
  value(): unknown {
    switch (this.tag & 3) {
      case FORM_BYTES:
        return this.frame.subarray(this.start, this.end);
      case FORM_JSON:
        return JSON.parse(textAt(this.frame, this.start, this.end));
      default:
        return textAt(this.frame, this.start, this.end);
    }
  }

  get careful(): boolean {
    return (this.tag & CAREFUL) !== 0;
  }
}

/** Iterates over the entries of a results frame. */
export class ResultsCursor {
  id = 0;
  loan: Loan = 0;
  tag = 0;
  /** Compute time in microseconds. */
  micros = 0;
  from = 0;
  start = 0;
  end = 1;
  private readonly reader: Reader;

  constructor(readonly frame: Uint8Array) {
    expectKind(frame, KIND_RESULTS);
    this.reader = new Reader(frame, 1);
  }

  next(): boolean {
    const reader = this.reader;
    if (reader.at >= reader.end) return false;
    this.from = reader.at;
    this.id = reader.varint();
    const tag = reader.varint();
    this.tag = tag & 3;
    this.loan = loanOf(this.id, tag, RESULT_LOANS);
    this.micros = reader.varint();
    this.start = reader.skip(reader.varint());
    this.end = reader.at;
    return true;
  }

  text(): string {
    return textAt(this.frame, this.start, this.end);
  }
}

function expectKind(frame: Uint8Array, kind: number): void {
  if (frame[0] !== kind) throw new Malformed('a frame of unknown kind');
}

/** Writes the entries of a values frame. */
export class ValuesWriter extends Writer {
  textValue(loan: Loan, value: string, form: Form = 'text', careful = false, attempt = 0): void {
    this.head(loan, form, careful, attempt);
    this.text(value);
  }

  bytesValue(loan: Loan, value: Uint8Array, careful = false, attempt = 0): void {
    this.head(loan, 'bytes', careful, attempt);
    this.sized(value);
  }

  private head(loan: Loan, form: Form, careful: boolean, attempt: number): void {
    if (this.length === 0) this.byte(KIND_VALUES);
    const { id, number } = partsOfLoan(loan);
    this.varint(id);
    this.varint(
      ['text', 'bytes', 'json'].indexOf(form) + (careful ? CAREFUL : 0) + number * VALUE_LOANS,
    );
    if (number > 0) this.varint(attempt);
  }
}

function partsOfLoan(loan: Loan): { id: number; number: number } {
  if (typeof loan === 'number') return { id: loan, number: 0 };
  const [id, number] = loan.split(':').map(Number);
  return { id, number };
}

/** Writes the entries of a results frame. */
export class ResultsWriter extends Writer {
  textResult(loan: Loan, tag: number, micros: number, text: string): void {
    this.head(loan, tag, micros);
    this.text(text);
  }

  bytesResult(loan: Loan, micros: number, data: Uint8Array): void {
    this.longHead(loan, RESULT_BYTES, micros, data.length);
    this.raw(data);
  }

  /** Writes a result up to its bytes. */
  longHead(loan: Loan, tag: number, micros: number, length: number): void {
    this.head(loan, tag, micros);
    this.varint(length);
  }

  failure(loan: Loan, micros: number, failure: Failure): void {
    this.textResult(loan, RESULT_ERROR, micros, JSON.stringify(failure));
  }

  private head(loan: Loan, tag: number, micros: number): void {
    if (this.length === 0) this.byte(KIND_RESULTS);
    const { id, number } = partsOfLoan(loan);
    this.varint(id);
    this.varint(tag + number * RESULT_LOANS);
    this.varint(micros);
  }
}

/** A results frame with one result of bytes; copies the bytes only once. */
export function bytesResultFrame(
  loan: Loan,
  micros: number,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { frame, at } = longFrame(loan, RESULT_BYTES, micros, data.length);
  frame.set(data, at);
  return frame;
}

/** A results frame with one result of text. ASCII text is encoded in place. */
export function textResultFrame(
  loan: Loan,
  tag: number,
  micros: number,
  text: string,
): Uint8Array<ArrayBuffer> {
  const ascii = longFrame(loan, tag, micros, text.length);
  if (encodeWhole(text, ascii.frame.subarray(ascii.at))) return ascii.frame;
  const bytes = utf8(text);
  const { frame, at } = longFrame(loan, tag, micros, bytes.length);
  frame.set(bytes, at);
  return frame;
}

/** A results frame with space for the `length` bytes of its only result, from `at`. */
function longFrame(
  loan: Loan,
  tag: number,
  micros: number,
  length: number,
): { frame: Uint8Array<ArrayBuffer>; at: number } {
  const head = new ResultsWriter(48);
  head.longHead(loan, tag, micros, length);
  const start = head.take();
  const frame = new Uint8Array(start.length + length);
  frame.set(start);
  return { frame, at: start.length };
}

/** The number of parts for a frame of `length` bytes; 0 if the frame is sent whole. */
export function partCount(length: number): number {
  return length <= PART ? 0 : Math.ceil(length / PART);
}

/** The part with the number `index`, from 0. */
export function part(frame: Uint8Array, index: number): Uint8Array<ArrayBuffer> {
  const start = index * PART;
  const bytes = frame.subarray(start, Math.min(frame.length, start + PART));
  const head = partHead(frame);
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/**
 * Sends the part with the number `index`, and returns the part's length. `send` must copy or send
 * the bytes before it returns, as a WebSocket does. To avoid a copy here, the part's head
 * overwrites the end of the previous part for the duration of `send`.
 */
export function sendPart(
  frame: Uint8Array,
  index: number,
  send: (data: Uint8Array<ArrayBuffer>) => void,
): number {
  const head = partHead(frame);
  const from = index * PART - head.length;
  const piece =
    from < 0
      ? part(frame, index)
      : frame.subarray(from, Math.min(frame.length, (index + 1) * PART));
  const covered = from < 0 ? null : piece.slice(0, head.length);
  if (covered) piece.set(head);
  try {
    send(piece as Uint8Array<ArrayBuffer>);
  } finally {
    if (covered) piece.set(covered);
  }
  return piece.length;
}

function partHead(frame: Uint8Array): Uint8Array {
  const head = new Writer(1 + 2 * varintSize(frame.length) + 8);
  head.byte(KIND_PART);
  head.varint(frame.length);
  return head.take();
}

function allocated(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch {
    throw new Malformed('a frame is too large');
  }
}

/** Joins parts to frames, one frame at a time. */
export class Assembler {
  private whole: Uint8Array | null = null;
  private filled = 0;

  /**
   * Adds a frame or part. Returns the frame, the frame which the part completes, or null if parts
   * are missing.
   */
  add(frame: Uint8Array): Uint8Array | null {
    const kind = frame[0];
    if (kind === KIND_VALUES || kind === KIND_RESULTS) return frame;
    if (kind !== KIND_PART) throw new Malformed('a frame of unknown kind');
    const reader = new Reader(frame, 1);
    const total = reader.varint();
    return this.place(total, frame.subarray(reader.at));
  }

  private place(total: number, bytes: Uint8Array): Uint8Array | null {
    const { length } = bytes;
    if (length < 1 || length > PART || total > MAX_FRAME)
      throw new Malformed('parts of wrong length');
    const whole = this.whole || allocated(total);
    if (whole.length !== total || length > total - this.filled)
      throw new Malformed('parts of wrong length');
    whole.set(bytes, this.filled);
    this.filled += length;
    this.whole = whole;
    return this.filled === total ? this.completed(whole) : null;
  }

  private completed(whole: Uint8Array): Uint8Array {
    this.whole = null;
    this.filled = 0;
    if (whole[0] === KIND_VALUES || whole[0] === KIND_RESULTS) return whole;
    throw new Malformed('a frame of unknown kind');
  }
}
