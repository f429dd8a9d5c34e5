/**
 * Describes printed, thrown and answered values, the same on every device, with all known causes
 * of an error.
 */

import { classOf, memberOf, shorten, userStack } from './convert.ts';
import type { ErrorKind, Failure } from '../frames.ts';

const DEEPEST_REASON = 4;
const MOST_ERRORS = 5;
const UNREADABLE = '[unreadable]';

export function failure(error: unknown, kind: ErrorKind): Failure {
  const message = failureMessage(error);
  const stack = readable(() => stackOf(error), '');
  return { message, stack: stack || undefined, kind };
}

export function failureMessage(error: unknown): string {
  return shorten(describe(error));
}

/** The text of a value on the console. */
export function inspect(value: unknown): string {
  return readable(
    () => (value instanceof Error ? stackOf(value) || describe(value) : plainText(value)),
    UNREADABLE,
  );
}

/** Class and message of an error, followed by its causes in parentheses. */
function describe(error: unknown, depth = 0): string {
  return readable(() => descriptionOf(error, depth), UNREADABLE);
}

function descriptionOf(error: unknown, depth: number): string {
  const words = textMember(error, 'message')
    ? heading(error).replace(/^Error: /, '')
    : textMember(error, 'name') || plainText(error);
  const reasons = reasonsOf(error, depth).map(
    ([name, reason]) => `${name}: ${describe(reason, depth + 1)}`,
  );
  return reasons.length ? `${words} (${reasons.join('; ')})` : words;
}

/** The stack of an error, followed by the stacks of its causes; empty without a stack. */
function stackOf(error: unknown, depth = 0): string {
  const stack = textMember(error, 'stack');
  if (!stack || (depth && !stack.includes('function.js'))) return '';
  const reasons = reasonsOf(error, depth).map(
    ([name, reason]) =>
      `\n  [${name}]: ${stackOf(reason, depth + 1) || describe(reason, depth + 1)}`,
  );
  return shorten(
    withHeading(userStack(stack), heading(error), textMember(error, 'message')) + reasons.join(''),
  );
}

/**
 * Puts class and message of the error above `stack`. Firefox and Safari omit both; V8 has them as
 * they were when the error was made.
 */
function withHeading(stack: string, heading: string, message: string): string {
  if (`\n${stack}`.includes(`\n${heading}`)) return stack;
  const frames = stack.search(/^ {4}at /m);
  if (frames < 0 && message && stack.endsWith(message)) return heading;
  return `${heading}\n${frames > 0 ? stack.slice(frames) : stack}`;
}

function heading(error: unknown): string {
  const name = textMember(error, 'name');
  // As in Node, a class without its own `name` counts by the name of the class.
  const ofClass =
    error instanceof Error && (!name || name === 'Error') && textMember(error.constructor, 'name');
  return [ofClass || name, textMember(error, 'message')].filter(Boolean).join(': ');
}

/**
 * Further information about an error: its code, the errors of an AggregateError, and its cause.
 */
function reasonsOf(error: unknown, depth: number): [name: string, reason: unknown][] {
  const reasons: [string, unknown][] = [];
  if (depth > DEEPEST_REASON || (!textMember(error, 'message') && !textMember(error, 'stack')))
    return reasons;
  const code = member(error, 'code');
  const own = {}.hasOwnProperty.call(error, 'code');
  if (
    own &&
    code &&
    typeof code !== 'object' &&
    !textMember(error, 'message').includes(String(code))
  )
    reasons.push(['code', code]);
  const errors = member(error, 'errors');
  if (Array.isArray(errors))
    for (const each of errors.slice(0, MOST_ERRORS)) reasons.push(['error', each]);
  const cause = member(error, 'cause');
  if (cause !== undefined) reasons.push(['cause', cause]);
  return reasons;
}

function textMember(holder: unknown, name: string): string {
  const value = member(holder, name);
  return typeof value === 'string' ? shorten(value) : '';
}

/** The member `name` of `holder`; empty if it is missing or its getter throws. */
export function member(holder: unknown, name: string): unknown {
  return readable(() => memberOf(holder, name), undefined);
}

/** What `read` finds in a value. Some values throw when they are read. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function plainText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const json = JSON.stringify(value, readableReplacer());
  const tag = classOf(value);
  return json && (json !== '{}' || tag === 'Object') ? json : `[object ${tag}]`;
}

/**
 * A replacer for JSON.stringify: replaces values which would fail or come out empty by a
 * description.
 */
function readableReplacer(): (key: string, value: unknown) => unknown {
  const above: unknown[] = [];
  return function (this: unknown, _key, value) {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null) return value;
    while (above.length && above[above.length - 1] !== this) above.pop();
    if (above.indexOf(value) >= 0) return '[Circular]';
    above.push(value);
    if (value instanceof Error) return `[${heading(value)}]`;
    return ArrayBuffer.isView(value) ? `[${value.byteLength} bytes]` : value;
  };
}
