/**
 * Fetches the assets of a run for the cores of this page: each asset once, in parts. The browser
 * keeps the parts until the run is over, if it has a storage for the page, so that a cut or a
 * reload costs no part twice. A page of a run with assets loads this script before its own.
 */

import { AssetStore } from './assets/store.ts';

declare global {
  interface Window {
    /** The asset at `path`, which is encoded for a URL. */
    pandoAsset(path: string): Promise<Blob>;
  }
}

/** A question of a core's worker. @spoken by the bundle */
interface Question {
  pandoAsset: number;
  path: string;
}

/** Bytes of a part. */
const PART = 4 << 20;
/** Tries without any progress after which an asset fails. */
const TRIES = 8;
const AGAIN_MS = 1000;

const folder = new URL('.', location.href).href;
const store = new AssetStore();
/** The assets that were asked for. */
const assets = new Map<string, Promise<Blob>>();

/** What the server says of an asset. */
interface Head {
  hash: string;
  length: number;
}

class NoAsset extends Error {}

window.pandoAsset = (path) => {
  let asset = assets.get(path);
  if (!asset) {
    asset = fetchAsset(path);
    assets.set(path, asset);
    // The next item may have more luck.
    asset.catch(() => assets.delete(path));
  }
  return asset;
};

// The page gives this handler to its workers.
window.onmessage = ({ data, target }: MessageEvent<Question>) => {
  if (!(target instanceof Worker) || !data || !data.pandoAsset) return;
  const answer = (words: object) => target.postMessage({ pandoAsset: data.pandoAsset, ...words });
  answer({ heard: true });
  window.pandoAsset(data.path).then(
    (blob) => answer({ blob }),
    (error: Error) => answer({ error: error.message }),
  );
};

forgetAtTheEnd();

/** Fetches an asset; tries again after errors of the network. */
async function fetchAsset(path: string): Promise<Blob> {
  const parts: ArrayBuffer[] = [];
  let tries = 0;
  for (;;) {
    const before = parts.length;
    try {
      const head = await headOf(path);
      await fetchParts(path, head, parts);
      return new Blob(parts);
    } catch (error) {
      tries = parts.length > before ? 0 : tries + 1;
      if (error instanceof NoAsset || tries >= TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function headOf(path: string): Promise<Head> {
  const response = await answered(path, 'HEAD');
  const hash = response.headers.get('etag');
  const length = response.headers.get('content-length');
  if (!hash) throw new Error(`the asset '${path}' came without its hash`);
  if (!length) throw new Error(`the asset '${path}' came without its length`);
  return { hash, length: Number(length) };
}

/** Adds the missing parts to `parts`, from the store or the network. */
async function fetchParts(path: string, { hash, length }: Head, parts: ArrayBuffer[]) {
  const count = Math.ceil(length / PART);
  while (parts.length < count) {
    const from = parts.length * PART;
    const to = Math.min(length, from + PART);
    const key = `${hash}/${parts.length}`;
    let part = await store.part(key);
    if (!part || part.byteLength !== to - from) {
      const response = await answered(path, 'GET', `?from=${from}&to=${to}`);
      part = await response.arrayBuffer();
      if (response.headers.get('etag') !== hash) {
        // The file has changed: its parts do not fit together.
        parts.length = 0;
        throw new NoAsset(`the asset '${decodeURIComponent(path)}' changed while it was fetched`);
      }
      if (part.byteLength !== to - from) throw new Error('a part of an asset was cut off');
      await store.keep(key, part);
    }
    parts.push(part);
  }
}

async function answered(path: string, method: string, search = ''): Promise<Response> {
  const response = await fetch(`${folder}assets/${path}${search}`, { method });
  if (response.ok) return response;
  // The head has no words.
  const why = method === 'HEAD' ? await answered(path, 'GET').then(textOf) : await textOf(response);
  throw response.status === 404 ? new NoAsset(why) : new Error(why);
}

function textOf(response: Response): Promise<string> {
  return response.text();
}

/** Clears the store when the page shows that the run is over: it hides its settings. */
function forgetAtTheEnd(): void {
  addEventListener('DOMContentLoaded', () => {
    const settings = document.getElementById('settings') as HTMLElement;
    new MutationObserver(() => {
      if (settings.hidden) void store.clear();
    }).observe(settings, { attributes: true, attributeFilter: ['hidden'] });
  });
}
