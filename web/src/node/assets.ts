/** The folder of assets, for functions on this machine's cores. */

import { Blob } from 'node:buffer';
import { existsSync, readFile, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { AssetRequest, FolderName } from './core-messages.ts';

const read = promisify(readFile);

/** Media types that the engine asks for. */
const KINDS: Record<string, string> = {
  js: 'text/javascript',
  json: 'application/json',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
};

/** Milliseconds between two looks for an answer of the host. */
const LOOK_MS = 10;

/** Milliseconds within which the host hears a request of a core that waits. */
const HEARING_MS = 5000;

/** Asks the host for an asset. */
type Ask = (request: AssetRequest) => void;

/** @spoken by functions */
export class FolderOfAssets {
  /** The bytes of each asset that was asked for, as promises. */
  private readonly bytes = new Map<string, Promise<Uint8Array>>();
  private readonly urls = new Map<string, string>();

  /** What waits for answers of the host, by the ids of the requests. */
  private readonly waiting = new Map<string, (error?: string) => void>();

  constructor(
    private readonly folder: FolderName,
    private readonly ask: Ask,
  ) {}

  /** The host has answered a request. */
  answered(id: string, error?: string): void {
    const settle = this.waiting.get(id);
    this.waiting.delete(id);
    if (settle) settle(error);
  }

  readonly asset = (name: string): Promise<Uint8Array> => {
    let bytes = this.bytes.get(name);
    if (!bytes) {
      bytes = this.read(name);
      this.bytes.set(name, bytes);
      // The next item may have more luck.
      bytes.catch(() => this.bytes.delete(name));
    }
    return bytes;
  };

  readonly assetUrl = (name: string): string => {
    let url = this.urls.get(name);
    if (!url) {
      const kind = KINDS[name.slice(name.lastIndexOf('.') + 1)] || 'application/octet-stream';
      this.fetchNow(name);
      const content = this.checked(name, () => readFileSync(this.pathOf(name)));
      url = URL.createObjectURL(new Blob([content], { type: kind }) as never);
      this.urls.set(name, url);
    }
    return url;
  };

  private async read(name: string): Promise<Uint8Array> {
    await this.fetched(name);
    const path = this.checked(name, () => this.pathOf(name));
    try {
      const { buffer, byteOffset, byteLength } = await read(path);
      return new Uint8Array(buffer, byteOffset, byteLength);
    } catch (error) {
      throw this.missing(name, error);
    }
  }

  /** Waits until the host has fetched an asset, if it fetches them. */
  private fetched(name: string): Promise<void> | undefined {
    if (!this.folder.answers) return undefined;
    this.checked(name, () => checkName(name));
    return new Promise((resolve, reject) => {
      const id = requestId();
      this.waiting.set(id, (error) => (error ? reject(new Error(error)) : resolve()));
      this.ask({ type: 'asset', id, name });
    });
  }

  /** As `fetched`, while this thread waits. */
  private fetchNow(name: string): void {
    const { answers, root } = this.folder;
    if (!answers) return;
    this.checked(name, () => checkName(name));
    if (existsSync(join(root, name))) return;
    const id = requestId();
    this.ask({ type: 'asset', id, name });
    const answer = join(answers, id);
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const start = performance.now();
    let isHeard = false;
    while (!existsSync(answer)) {
      isHeard ||= existsSync(`${answer}.heard`);
      // Nothing is sent while this thread waits, also not a large result in front of the request.
      if (!isHeard && performance.now() - start > HEARING_MS)
        throw new Error(
          `the asset '${name}' is not here yet: await context.asset('${name}') first`,
        );
      Atomics.wait(clock, 0, 0, LOOK_MS);
    }
    const error = readFileSync(answer, 'utf8');
    if (error) throw new Error(error);
  }

  /** The file of an asset, which lies in the folder even if links lead to it. */
  private pathOf(name: string): string {
    checkName(name);
    const path = realpathSync(join(this.folder.root, name));
    const below = relative(this.folder.root, path);
    if (isAbsolute(below) || below.split(/[\\/]/)[0] === '..')
      throw new Error('a link leads out of the folder');
    // A pipe could block for ever.
    if (!statSync(path).isFile()) throw new Error('this is no file');
    return path;
  }

  private checked<T>(name: string, find: () => T): T {
    try {
      return find();
    } catch (error) {
      throw this.missing(name, error);
    }
  }

  private missing(name: string, error: unknown): Error {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is no file' : message;
    return new Error(`no asset '${name}' in the folder ${this.folder.given} (--assets): ${why}`);
  }
}

/** Checks that the name of an asset is a path below the folder. */
function checkName(name: string): void {
  const parts = String(name).split(/[\\/]/);
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw new Error('give a path below the folder, without `..`');
}

/** The id of a request, which no other core of the host uses. */
function requestId(): string {
  return crypto.randomUUID();
}
