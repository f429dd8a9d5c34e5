import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runtime } from '../src/core/runtime.ts';
import type { CoreHost } from '../src/core.ts';

test('crypto.randomUUID is filled in where a browser has none', async () => {
  const { crypto } = globalThis;
  const insecure = { getRandomValues: crypto.getRandomValues.bind(crypto) } as unknown as Crypto;
  Object.defineProperty(globalThis, 'crypto', { value: insecure, configurable: true });
  const made: string[] = [];
  const load = () => void made.push(...Array.from({ length: 100 }, () => globalThis.crypto.randomUUID()));
  const host = { now: () => 0, tick: () => 0, post() {} } as unknown as CoreHost;
  await new Runtime(host, '', load, false).init({ concurrency: 1, timeout: null, json: false });
  assert.equal(new Set(made).size, 100);
  for (const uuid of made) assert.match(uuid, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});
