/** What native cores and their hosts say, besides what all cores and hosts say. */

import type { CoreOptions } from '../messages.ts';

/** The folder of assets, for a core of the same machine. @spoken by the host */
export interface FolderName {
  /** The path of the folder, without symbolic links. */
  root: string;
  /** The folder, as the user of the run named it. */
  given: string;
  /**
   * A folder with an answer to each request for an asset: a file with the request's id as its name,
   * and an error or nothing as its content. A file `ID.heard` comes at once. Without this folder, all
   * assets are there.
   */
  answers?: string;
}

/** What the host says to a native core. @spoken by the host */
export type ToNativeCore =
  | { type: 'init'; options: CoreOptions; code?: string; assets?: FolderName; parent?: number }
  /** The asset that the core asked for is in the folder, unless there is an error. */
  | { type: 'asset'; id: string; error?: string };

/** The core needs an asset in its folder. @spoken by the host */
export interface AssetRequest {
  type: 'asset';
  id: string;
  name: string;
}
