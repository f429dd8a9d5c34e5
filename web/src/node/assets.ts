/** The folder of assets, for functions on this machine's cores. */

import { Blob } from 'node:buffer';
import { readFile, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { promisify } from 'node:util';

const read = promisify(readFile);

/** Media types that the engine asks for. */
const KINDS: Record<string, string> = {
  js: 'text/javascript',
  json: 'application/json',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
};

/** The folder: its path, without symbolic links, and its name as the user gave it. */
export interface FolderName {
  root: string;
  given: string;
}

/** @spoken by functions */
export class FolderOfAssets {
  /** The bytes of each asset that was asked for, as promises. */
  private readonly bytes = new Map<string, Promise<Uint8Array>>();
  private readonly urls = new Map<string, string>();

  constructor(private readonly folder: FolderName) {}

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
      const content = this.checked(name, () => readFileSync(this.pathOf(name)));
      url = URL.createObjectURL(new Blob([content], { type: kind }) as never);
      this.urls.set(name, url);
    }
    return url;
  };

  private async read(name: string): Promise<Uint8Array> {
    const path = this.checked(name, () => this.pathOf(name));
    try {
      const { buffer, byteOffset, byteLength } = await read(path);
      return new Uint8Array(buffer, byteOffset, byteLength);
    } catch (error) {
      throw this.missing(name, error);
    }
  }

  /** The file of an asset, which lies in the folder even if links lead to it. */
  private pathOf(name: string): string {
    const parts = String(name).split(/[\\/]/);
    if (parts.some((part) => part === '' || part === '.' || part === '..'))
      throw new Error('give a path below the folder, without `..`');
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
