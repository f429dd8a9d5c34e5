/** Converts the answer of f to the bytes or the text of a result. */

import { RESULT_JSON, RESULT_TEXT } from '../frames.ts';
import type { ErrorKind } from '../frames.ts';
import { jsonOf } from './json.ts';

/** The signature of f: `(x, cb)` under '/pando/1.0.0', or a default export `(x, context)`. */
export type CallStyle = 'callback' | 'default';

/** Thrown for an answer which no result can carry; `kind` is the reason. */
export class UnusableAnswer {
  constructor(
    readonly kind: ErrorKind,
    readonly message: string,
  ) {}
}

const LONGEST_TEXT = 16_384;

export function bytesOf(value: unknown): Uint8Array | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!ArrayBuffer.isView(value))
    return classOf(value) === 'ArrayBuffer' ? new Uint8Array(value as ArrayBuffer) : null;
  const { buffer } = value;
  // A view of a detached buffer looks empty. This throws if the buffer is detached.
  if (!buffer.byteLength) return new Uint8Array(buffer);
  if (value instanceof Uint8Array) return value;
  return new Uint8Array(buffer, value.byteOffset, value.byteLength);
}

/** A promise of the bytes of a Blob or a File; null for other values. */
export function bytesToCome(value: unknown): PromiseLike<ArrayBuffer> | null {
  // Chrome 71 and Safari 12 lack `blob.arrayBuffer()`.
  return /^(Blob|File)$/.test(classOf(value)) ? new Response(value as Blob).arrayBuffer() : null;
}

/** Converts an answer other than bytes or a promise to text. */
export function textOf(
  value: unknown,
  style: CallStyle,
  json: boolean,
): { tag: number; text: string } {
  if (value === undefined) throw new UnusableAnswer('undefined', 'f answered undefined');
  if (json || (style === 'default' && typeof value !== 'string'))
    return { tag: RESULT_JSON, text: jsonOf(value) };
  const text = String(value);
  // An object without a `toString` of its own gives such a text.
  const nothing = typeof value === 'object' && /\[object (?!Object\]).*?\]/.exec(text);
  if (nothing) throw new UnusableAnswer('json', `the answer has no text: ${nothing[0]}`);
  return { tag: RESULT_TEXT, text };
}

/** Refuses a text which UTF-8 cannot represent, such as a pair of surrogates cut in the middle. */
export function checkText(text: string): void {
  // With the flag `u`, the pattern does not match a whole pair.
  if (/[\ud800-\udfff]/u.test(text))
    throw new UnusableAnswer('json', 'the answer has half of a character');
}

/** The class name of a built-in object, for example `Map`; `Object` for other classes. */
export function classOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The member `name` of a value; undefined if the value can have no members. */
export function memberOf(holder: unknown, name: string): unknown {
  return Object(holder) === holder ? (holder as Record<string, unknown>)[name] : undefined;
}

/**
 * The blob address of the function's script, which some engines show in stacks, and the script's
 * real address.
 */
let aliases = ['', ''];

export function renameInStacks(...given: [string, string]): void {
  aliases = given;
}

/** The stack up to the last frame of the function's script, without the frames of its callers. */
export function userStack(stack: string): string {
  const lines = (aliases[0] ? stack.split(aliases[0]).join(aliases[1]) : stack).split('\n');
  let end = lines.length;
  while (end > 0 && !lines[end - 1].includes('function.js')) end--;
  return end > 0 ? lines.slice(0, end).join('\n') : stack;
}

export function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
