/** What the address of the page says: which run, and how to take part in it. */

/** @spoken by the address of the page */
export interface FragmentOptions {
  protocol?: string;
  device?: string;
  cores?: number;
  /** 1: the device is to get no work. */
  paused?: number;
  /** Items done before the page was loaded again. */
  done?: number;
}

/** `#protocol=websocket;device=My_Phone;cores=2;`: `_` is a space, the last `;` may be missing, the last of a name counts. */
export function fragmentOptions(hash: string): FragmentOptions {
  const options: FragmentOptions = {};
  for (const setting of hash.replace(/^#/, '').split(';')) {
    const equals = setting.indexOf('=');
    if (equals < 0) continue;
    const name = setting.slice(0, equals).trim();
    const value = decoded(setting.slice(equals + 1).replace(/_/g, ' ')).trim();
    if (name === 'protocol') options.protocol = value.toLowerCase();
    if (name === 'device' && value) options.device = value.slice(0, 100);
    if ((name === 'cores' || name === 'paused' || name === 'done') && /^\d+$/.test(value)) options[name] = Number(value);
  }
  return options;
}

/** The fragment that says this. */
export function fragmentOf(options: FragmentOptions): string {
  const said = Object.entries(options).map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/_/g, '%5F')};`);
  return said.join('');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The token is the last folder of the page's path; none with open access. */
export function tokenOf(pathname: string): string {
  const folders = pathname.split('/').slice(1, -1);
  return folders.length > 0 ? folders[folders.length - 1] : '';
}

/** The folder of the page, below which everything is. */
export function folderOf(href: string): string {
  return href.replace(/[?#].*$/, '').replace(/[^/]*$/, '');
}

/**
 * Cores lent at first: all but one, at least one.
 *
 * @param vague the browser says 4 where there are fewer than 8
 */
export function coresToLend(asked: number | undefined, hardware: number | undefined, vague = false): number {
  const known = vague && hardware === 4 ? 2 : hardware || 2;
  const cores = asked === undefined ? known - 1 : asked;
  return Math.max(1, Math.min(MOST_CORES, cores));
}

export const MOST_CORES = 64;
