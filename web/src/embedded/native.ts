/**
 * What the program gives to the script of the embedded engine, and what the script gives to the
 * program. Both sides are built together.
 */

/** Functions of the program. */
export interface Native {
  /** A monotonic clock, in milliseconds. */
  now(): number;
  /** Sends a JSON message to the host. */
  message(text: string): void;
  /** Sends a frame of results to the host: one character per byte. */
  results(bytes: string): void;
  /** Runs a classic script. */
  run(code: string, name: string): void;
  /** The UTF-8 bytes of a text without lone surrogates. */
  utf8(text: string): Uint8Array<ArrayBuffer>;
  /** The bytes of a file below a folder; throws an error in words. */
  asset(root: string, name: string): Uint8Array<ArrayBuffer>;
  /** Random bytes. */
  random(count: number): Uint8Array<ArrayBuffer>;
}

/** Functions of the script, which the program calls. */
export interface Script {
  message(text: string): void;
  values(frame: Uint8Array): void;
  /** The milliseconds until the next timer is due; negative if there is none. */
  untilTimer(): number;
  /** Runs the timers that are due. */
  runTimers(): void;
  /** A job threw an error that nobody caught. */
  uncaught(error: unknown): void;
  /** A promise was rejected without a handler, or got a handler later. */
  rejection(promise: Promise<unknown>, reason: unknown, isHandled: boolean): void;
  /** No job is left: promises without a handler will have none. */
  idle(): void;
}

/** Characters that one call of `fromCharCode` may take. */
const CHARACTERS = 8192;

/** A text with one character per byte. */
export function binary(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHARACTERS)
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHARACTERS) as never);
  return text;
}
