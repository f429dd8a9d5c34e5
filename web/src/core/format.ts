/** The arguments of a console method → one text, alike on every device. */

import { failureMessage, ofTheFunction } from './convert.ts';

export function format(args: unknown[]): string {
  const first = args[0];
  if (typeof first !== 'string' || args.length === 1 || first.indexOf('%') < 0) return args.map(shown).join(' ');
  let next = 1;
  const text = first.replace(/%[sdifoOjc%]/g, (directive) => {
    if (directive === '%%') return '%';
    return next < args.length ? substituted(directive, args[next++]) : directive;
  });
  return [text, ...args.slice(next).map(shown)].join(' ');
}

function substituted(directive: string, value: unknown): string {
  switch (directive) {
    case '%c':
      return '';
    case '%d':
    case '%i':
    case '%f':
      return typeof value === 'object' ? 'NaN' : String(directive === '%i' ? Math.trunc(Number(value)) : Number(value));
    default:
      return shown(value);
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return errorText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value, seen()) || Object.prototype.toString.call(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Firefox and Safari leave the message out of the stack. */
function errorText(error: Error): string {
  const message = failureMessage(error);
  const stack = ofTheFunction(error.stack || '');
  return stack.includes(message) ? stack : `${error.name}: ${message}\n${stack}`.trim();
}

function seen(): (key: string, value: unknown) => unknown {
  const above: unknown[] = [];
  return function (this: unknown, _key, value) {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null) return value;
    while (above.length && above[above.length - 1] !== this) above.pop();
    if (above.indexOf(value) >= 0) return '[Circular]';
    above.push(value);
    return ArrayBuffer.isView(value) ? `[${value.byteLength} bytes]` : value;
  };
}
