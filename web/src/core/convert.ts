/** What f answers → the bytes of a result, and what it throws → the words of an error. */

import { RESULT_BYTES, RESULT_JSON, RESULT_TEXT } from '../protocol.ts';
import type { ErrorKind, Failure } from '../protocol.ts';

/** How f is written: `(x, cb)` under '/pando/1.0.0', or a default export `(x, context)`. */
export type Style = 'callback' | 'default';

export type Converted =
  | { tag: typeof RESULT_BYTES; bytes: Uint8Array }
  | { tag: typeof RESULT_TEXT | typeof RESULT_JSON; text: string };

/** The answer cannot be carried; `kind` says why. */
export class Unusable extends Error {
  constructor(
    readonly kind: ErrorKind,
    message: string,
  ) {
    super(message);
  }
}

const LONGEST_TEXT = 16_384;

export function bytesOf(value: unknown): Uint8Array | null {
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || Object.prototype.toString.call(value) === '[object ArrayBuffer]') {
    return new Uint8Array(value as ArrayBuffer);
  }
  return null;
}

/** Converts an answer that is neither a plain text to be carried as it is nor bytes. */
export function textOf(value: unknown, style: Style, json: boolean): { tag: number; text: string } {
  if (value === undefined) throw new Unusable('undefined', 'f answered nothing (undefined)');
  if (json) return { tag: RESULT_JSON, text: jsonOf(value) };
  if (typeof value === 'string') return { tag: RESULT_TEXT, text: value };
  if (style === 'callback') return { tag: RESULT_TEXT, text: String(value) };
  return { tag: RESULT_JSON, text: jsonOf(value) };
}

function jsonOf(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new Unusable('json', `the answer has no JSON form: ${failureMessage(error)}`);
  }
  if (text === undefined) throw new Unusable('json', `the answer has no JSON form: it is a ${typeof value}`);
  // NaN and infinities are written as null: only a text with null in it can hide one.
  if (text.includes('null')) JSON.stringify(value, refuseNonFinite);
  return text;
}

function refuseNonFinite(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !isFinite(value)) {
    throw new Unusable('json', `the answer has no JSON form: it contains ${value}`);
  }
  return value;
}

/** The words of whatever was thrown or answered as an error. */
export function failure(error: unknown, kind: ErrorKind): Failure {
  const stack = ofTheFunction(property(error, 'stack'));
  return stack ? { message: failureMessage(error), stack, kind } : { message: failureMessage(error), kind };
}

/** The address by which some engines call the function's script in stacks, and its own. */
let names = ['', ''];

export function alsoCalled(...given: [string, string]): void {
  names = given;
}

/** A stack without the frames of what called the function: nothing below its last one. */
export function ofTheFunction(stack: string): string {
  const lines = (names[0] ? stack.split(names[0]).join(names[1]) : stack).split('\n');
  let end = lines.length;
  while (end > 0 && !lines[end - 1].includes('function.js')) end--;
  return end > 0 ? lines.slice(0, end).join('\n') : stack;
}

export function failureMessage(error: unknown): string {
  return property(error, 'message') || property(error, 'name') || shorten(asString(error));
}

function property(error: unknown, name: 'message' | 'name' | 'stack'): string {
  try {
    const value = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : '';
    return typeof value === 'string' ? shorten(value) : '';
  } catch {
    return '';
  }
}

function asString(value: unknown): string {
  try {
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

export function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
