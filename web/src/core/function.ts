/** Finds the function among the exports of the user's bundle. */

import { memberOf } from './convert.ts';
import type { CallStyle } from './convert.ts';

/**
 * The global that the bundle sets when it runs. `Buffer` is the bundle's own class, if the bundle
 * has one.
 *
 * @spoken by the bundle
 */
export interface PandoModule {
  exports: unknown;
  esm?: boolean;
  Buffer?: { from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array };
}

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

export interface UserFunction {
  call: AnyFunction;
  /** The value of `this` during a call: the object with the function as a member. */
  owner: unknown;
  style: CallStyle;
}

const NAME = '/pando/1.0.0';

export function userFunction(module: PandoModule | undefined): UserFunction {
  if (!module) throw new Error('the function was not loaded: its script did not run to its end');
  const exports = module.exports;
  const fallback = memberOf(exports, 'default');
  return (
    named(exports, NAME, 'callback') ||
    named(fallback, NAME, 'callback') ||
    named(exports, 'default', 'default') ||
    itself(exports) ||
    named(fallback, 'default', 'default') ||
    missing()
  );
}

function named(holder: unknown, name: string, style: CallStyle): UserFunction | null {
  const call = memberOf(holder, name);
  if (typeof call !== 'function') return null;
  // A plain default export does not expect a namespace or module object as `this`.
  return { call: call as AnyFunction, owner: style === 'callback' ? holder : undefined, style };
}

function itself(exports: unknown): UserFunction | null {
  return typeof exports === 'function'
    ? { call: exports as AnyFunction, owner: undefined, style: 'default' }
    : null;
}

function missing(): never {
  // The stack names only Pando's code, but the mistake is in the user's file.
  throw Object.assign(new Error('the module exports no function'), { stack: '' });
}
