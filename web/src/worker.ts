/** One lent core: a compute worker that the page makes, or, for functions that need a document, the page itself. */

import { alsoCalled } from './core/convert.ts';
import { hearErrors, serve } from './core/port.ts';
import type { Join } from './page-messages.ts';
import { blob } from './page/scripts.ts';

declare function importScripts(...urls: string[]): void;

const TRIES = 5;

/** Becomes a core in this worker when the page says so. */
export function awaitJoin(): void {
  // A worker that closes itself is gone without a word to anybody.
  (self as unknown as { close(): void }).close = () => {
    throw new Error('close() would end the core: answer instead');
  };
  typeBlobs();
  addEventListener('message', ({ data }: MessageEvent<Join>) => {
    if (data.type === 'join') hearErrors(serve(data.port, data.version, () => fetchInWorker(addressOf(data), TRIES)));
  });
}

/** In a worker of Chrome before 80, a further worker is not made of a blob without a type. */
function typeBlobs(): void {
  // Later versions have this.
  if ('replaceAll' in String.prototype) return;
  const create = URL.createObjectURL;
  URL.createObjectURL = (of: Blob) => create(of.type ? of : of.slice(0, of.size, 'text/javascript'));
}

/** Makes the page a core. */
export function joinInPage(join: Join): void {
  hearErrors(serve(join.port, join.version, () => fetchInPage(addressOf(join))));
}

/** Made here: a worker of an old Chrome may not load what its page made. */
function addressOf({ script, text }: Join): string {
  if (!text) return script;
  const address = blob(text);
  alsoCalled(address, script);
  return address;
}

/** Fetches and runs the function; a network that is away for a moment is tried again. */
async function fetchInWorker(address: string, tries: number): Promise<void> {
  try {
    importScripts(address);
  } catch (error) {
    if (tries <= 1 || (error as Error).name !== 'NetworkError') throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return fetchInWorker(address, tries - 1);
  }
}

/** What the script throws while it runs is why the function cannot be used. */
function fetchInPage(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let thrown: unknown = null;
    const remember = (event: ErrorEvent) => (thrown = event.error || new Error(event.message));
    const script = document.createElement('script');
    script.src = address;
    script.onload = () => {
      removeEventListener('error', remember);
      if (thrown && !('__pandoModule' in window)) reject(thrown);
      else resolve();
    };
    script.onerror = () => reject(new Error('the function could not be fetched'));
    addEventListener('error', remember);
    document.head.appendChild(script);
  });
}
