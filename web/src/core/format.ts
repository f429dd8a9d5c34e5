/** Formats the arguments of a console method as one text, the same on every device. */

import { inspect } from './inspect.ts';

export function format(args: unknown[]): string {
  const first = args[0];
  if (typeof first !== 'string' || args.length === 1 || first.indexOf('%') < 0)
    return args.map(inspect).join(' ');
  let next = 1;
  const text = first.replace(/%[sdifoOjc%]/g, (directive) => {
    if (directive === '%%') return '%';
    return next < args.length ? substituted(directive, args[next++]) : directive;
  });
  return [text, ...args.slice(next).map(inspect)].join(' ');
}

function substituted(directive: string, value: unknown): string {
  switch (directive) {
    case '%c':
      return '';
    case '%d':
    case '%i':
    case '%f':
      return typeof value === 'object'
        ? 'NaN'
        : String(directive === '%i' ? Math.trunc(Number(value)) : Number(value));
    default:
      return inspect(value);
  }
}
