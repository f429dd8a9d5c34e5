// Shared code of the page's tests in Chromium.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

export const shots = resolve('.test/shots');
mkdirSync(shots, { recursive: true });

export const tests = [];

/**
 * @param options the master's options, and: `fragment`; `cores`; `bridge`: a second page is the
 *   master's end of peer connections; `before`: a function to run in the page before the page's
 *   script; `context`: options of the browser's context
 * @param run called with the master and the page
 */
export const test = (name, options, run) => tests.push({ name, options, run });

export const callback = (body) =>
  `globalThis.__pandoModule = { exports: { '/pando/1.0.0': function (x, cb) { ${body} } } };`;

export const TOY = callback(`
  if (x === 'loop') for (;;);
  if (x === 'fail') return cb(new Error('will not'));
  if (x === 'throw') throw new TypeError('cannot');
  if (x === 'throw later') return setTimeout(() => { throw new TypeError('cannot, later'); }, 10);
  if (x === 'log') console.log('<b>seen</b>', { x });
  if (x instanceof Uint8Array) return cb(null, x);
  if (x.startsWith('sleep ')) return setTimeout(() => cb(null, x), Number(x.slice(6)));
  cb(null, x.toUpperCase());`);

/** All hellos so far, once there are `count`. */
export const hellos = (master, count, ms) =>
  master.until(
    () => {
      const found = master.heard.filter(({ type }) => type === 'hello');
      return found.length >= count && found;
    },
    `${count} hellos`,
    ms,
  );

/** Waits until the element `id` shows a matching text. */
export const shows = (page, id, pattern, timeout = 10_000) =>
  page.waitForFunction(
    ([id, source]) => new RegExp(source).test(document.getElementById(id).textContent),
    [id, pattern.source],
    { timeout },
  );

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
