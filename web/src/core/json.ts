/**
 * Converts the answer of f to JSON without loss. If JSON would omit or change a part, an error
 * names the path of the part.
 */

import { UnusableAnswer, classOf } from './convert.ts';
import { failureMessage } from './inspect.ts';

/** Deepest nesting for the quick check; deeper data may contain a cycle. */
const DEEPEST_PLAIN = 99;

type Members = Record<string, unknown>;

export function jsonOf(value: unknown): string {
  try {
    return isPlain(value, 0) ? JSON.stringify(value) : JSON.stringify(value, refuseLosses());
  } catch (error) {
    throw new UnusableAnswer('json', `the answer has no JSON form: ${failureMessage(error)}`);
  }
}

/**
 * Whether `value` is clearly plain data. This check is several times faster than a replacer of
 * JSON.stringify.
 */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isFinite(value);
    case 'object':
      return value === null || (depth < DEEPEST_PLAIN && hasPlainMembers(value, depth + 1));
    default:
      return false;
  }
}

function hasPlainMembers(value: object, depth: number): boolean {
  if ((value as Members).toJSON) return false;
  if (Array.isArray(value)) {
    // Unlike `every`, this loop sees the holes of an array.
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth)) return false;
    return true;
  }
  const members = value as Members;
  const prototype: unknown = Object.getPrototypeOf(value);
  const special =
    (prototype && prototype !== Object.prototype) ||
    Symbol.iterator in members ||
    Symbol.toStringTag in members;
  if (special && !isRecord(members)) return false;
  let key;
  for (key in members)
    if (members[key] !== undefined && !isPlain(members[key], depth)) return false;
  return !!key || isBlank(value);
}

/** Whether an object has no fields at all, not even hidden ones. */
function isBlank(value: object): boolean {
  return !Reflect.ownKeys(value).length;
}

/** Whether an object of a class has only fields, so that JSON loses nothing. */
function isRecord(value: Members): boolean {
  return hasFields(value, classOf(value)) && !value.then;
}

/**
 * Whether the fields of an object are its whole content. Objects of the engine's own classes have
 * hidden content.
 */
function hasFields(value: object, tag: string): boolean {
  return (
    Object.keys(value).length > 0 &&
    (tag === 'Object' || (Symbol.toStringTag in value && !(tag in globalThis)))
  );
}

/**
 * A replacer that throws at the first loss. JSON.stringify calls the replacer for each member,
 * after the member's `toJSON`.
 */
function refuseLosses(): (this: Members, key: string, value: unknown) => unknown {
  const holders: unknown[] = [];
  const steps: string[] = [];
  return function (key, value) {
    while (holders.length && holders[holders.length - 1] !== this) {
      holders.pop();
      steps.pop();
    }
    const inObject = holders.length > 0 && !Array.isArray(this);
    const step = !holders.length ? 'result' : inObject ? memberPath(key) : `[${key}]`;
    const what = holders.includes(value) ? 'a cycle' : loss(value, this[key]);
    if (what && !(inObject && value === undefined))
      throw new Error(`${steps.join('')}${step} is ${what}`);
    if (typeof value === 'object' && value) {
      holders.push(value);
      steps.push(step);
    }
    return value;
  };
}

function memberPath(key: string): string {
  return /^[a-z_$][\w$]*$/i.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/**
 * A description of `value` if JSON cannot represent it, else an empty text. `before` is the value
 * before its `toJSON`.
 */
function loss(value: unknown, before: unknown): string {
  const tag = classOf(value);
  if (value === null) return classOf(before) === 'Date' ? 'an invalid date' : '';
  if (tag === 'Number') return isFinite(value as number) ? '' : String(value);
  if (/^(String|Boolean|Array)$/.test(tag)) return '';
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object') return `a ${typeof value === 'bigint' ? tag : typeof value}`;
  if (typeof (value as Members).then === 'function') return 'a promise';
  if (isBare(value, tag) || hasFields(value, tag)) return '';
  const name = (tag === 'Object' && Object(value.constructor).name) || tag;
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** Whether an object has neither fields nor a class, in any window. */
function isBare(value: object, tag: string): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const hasClass = tag !== 'Object' || (prototype && Object.getPrototypeOf(prototype));
  return !hasClass && isBlank(value);
}
