/**
 * Keeps parts of assets in the browser's database, for this run alone. A page without an origin of
 * its own has no database, and keeps nothing.
 */

const NAME = 'pando-assets';
const PARTS = 'parts';
/** The key of the run whose parts are kept. */
const RUN = 'run';

export class AssetStore {
  private readonly database = opened();

  /** The part of this key; undefined if it is not kept. */
  async part(key: string): Promise<ArrayBuffer | undefined> {
    return (await this.ask('readonly', (parts) => parts.get(key))) as ArrayBuffer | undefined;
  }

  /** Keeps a part, if the browser has room for it. */
  async keep(key: string, part: ArrayBuffer): Promise<void> {
    await this.ask('readwrite', (parts) => parts.put(part, key));
  }

  async clear(): Promise<void> {
    await this.ask('readwrite', (parts) => parts.clear());
  }

  private async ask(
    mode: IDBTransactionMode,
    question: (parts: IDBObjectStore) => IDBRequest,
  ): Promise<unknown> {
    const database = await this.database;
    return database && asked(database, mode, question);
  }
}

/** The database, without parts of other runs; null if the page has none. */
async function opened(): Promise<IDBDatabase | null> {
  const database = await new Promise<IDBDatabase | null>((resolve) => {
    try {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(PARTS);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = opening.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  if (!database) return null;
  const run = location.pathname;
  if ((await asked(database, 'readonly', (parts) => parts.get(RUN))) !== run) {
    await asked(database, 'readwrite', (parts) => parts.clear());
    await asked(database, 'readwrite', (parts) => parts.put(run, RUN));
  }
  return database;
}

/** The answer of the database; undefined after an error, such as a full disk. */
function asked(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  question: (parts: IDBObjectStore) => IDBRequest,
): Promise<unknown> {
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction(PARTS, mode);
      const request = question(transaction.objectStore(PARTS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}
