/** The folder of assets, for functions in the embedded engine. */

import type { AssetRequest, FolderName } from '../node/core-messages.ts';
import type { Native } from './native.ts';

/** @spoken by functions */
export class EmbeddedAssets {
  /** The bytes of each asset that was asked for, as promises. */
  private readonly bytes = new Map<string, Promise<Uint8Array>>();
  /** What waits for answers of the host, by the ids of the requests. */
  private readonly waiting = new Map<string, (error?: string) => void>();

  constructor(
    private readonly folder: FolderName,
    private readonly native: Native,
  ) {}

  readonly asset = (name: string): Promise<Uint8Array> => {
    let bytes = this.bytes.get(name);
    if (!bytes) {
      bytes = this.read(String(name));
      this.bytes.set(name, bytes);
      // The next item may have more luck.
      bytes.catch(() => this.bytes.delete(name));
    }
    return bytes;
  };

  readonly assetUrl = (name: string): string => {
    throw new Error(`the embedded engine has no addresses: use context.asset('${name}')`);
  };

  /** The host has answered a request. */
  answered(id: string, error?: string): void {
    const settle = this.waiting.get(id);
    this.waiting.delete(id);
    if (settle) settle(error);
  }

  private async read(name: string): Promise<Uint8Array> {
    const { root, given, answers } = this.folder;
    if (answers) await this.fetched(name);
    try {
      return this.native.asset(root, name);
    } catch (error) {
      const why = (error as Error).message;
      throw new Error(`no asset '${name}' in the folder ${given} (--assets): ${why}`);
    }
  }

  private fetched(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = crypto.randomUUID();
      this.waiting.set(id, (error) => (error ? reject(new Error(error)) : resolve()));
      const request: AssetRequest = { type: 'asset', id, name };
      this.native.message(JSON.stringify(request));
    });
  }
}
