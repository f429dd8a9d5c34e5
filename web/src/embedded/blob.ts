/** Blob and File, whose bytes lie in memory. */

import { bytesOf } from './encoding.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The bytes of each Blob; functions cannot change these. */
const contents = new WeakMap<Blob, Bytes>();

class Blob {
  readonly type: string;

  constructor(parts: Iterable<unknown> = [], options: { type?: unknown } = {}) {
    const bytes = Array.from(parts, partOf);
    const joined = new Uint8Array(bytes.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of bytes) {
      joined.set(part, at);
      at += part.length;
    }
    contents.set(this, joined);
    this.type = options.type === undefined ? '' : String(options.type).toLowerCase();
  }

  get size(): number {
    return content(this).length;
  }

  get [Symbol.toStringTag](): string {
    return 'Blob';
  }

  slice(start?: number, end?: number, type?: unknown): Blob {
    return blobOf([content(this).slice(start, end)], { type });
  }

  text(): Promise<string> {
    return this.read((bytes) => new TextDecoder().decode(bytes));
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.read((bytes) => bytes.slice().buffer);
  }

  bytes(): Promise<Bytes> {
    return this.read((bytes) => bytes.slice());
  }

  private async read<T>(of: (bytes: Bytes) => T): Promise<T> {
    return of(content(this));
  }
}

class File extends Blob {
  readonly name: string;
  readonly lastModified: number;

  constructor(
    parts: Iterable<unknown>,
    name: unknown,
    options: { type?: unknown; lastModified?: number } = {},
  ) {
    super(parts, options);
    this.name = String(name);
    this.lastModified = options.lastModified === undefined ? Date.now() : options.lastModified;
  }

  override get [Symbol.toStringTag](): string {
    return 'File';
  }
}

/** The class has no name of its own for itself, so that functions see the plain name. */
function blobOf(parts: Iterable<unknown>, options: { type?: unknown }): Blob {
  return new Blob(parts, options);
}

export const blobGlobals = { Blob, File };

function content(blob: Blob): Bytes {
  const bytes = contents.get(blob);
  if (!bytes) throw new TypeError('this is no Blob');
  return bytes;
}

function partOf(part: unknown): Uint8Array {
  if (part instanceof Blob) return content(part);
  if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return bytesOf(part as ArrayBuffer);
  return new TextEncoder().encode(String(part));
}
