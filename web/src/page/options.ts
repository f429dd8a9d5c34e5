/** The settings in the page's address: the run, and how the device takes part. */

/** @spoken by the address of the page */
export interface FragmentOptions {
  protocol?: string;
  device?: string;
  cores?: number;
  /** The language of the page's texts. */
  lang?: string;
  /** The identifier of the device before a reload. */
  id?: string;
  /** 1 if the device is paused. */
  paused?: number;
  /** 1 if the screen stays on while the device computes. */
  awake?: number;
  /** The number of items done before a reload, and the seconds lent. */
  done?: number;
  time?: number;
}

/** The settings that are numbers. */
const NUMBERS = /^(cores|paused|awake|done|time)$/;

/**
 * Parses `#protocol=websocket;device=My_Phone;cores=2;`. `_` means a space, the last `;` is
 * optional, and the last setting of a name counts.
 */
export function fragmentOptions(hash: string): FragmentOptions {
  const options: FragmentOptions = {};
  hash.replace(/([^#;=]*)=([^;]*)/g, (_, key: string, text: string) => {
    const name = key.trim();
    const value = decoded(text.replace(/_/g, ' ')).trim();
    if (name === 'protocol') options.protocol = value.toLowerCase();
    if (/^(lang|id)$/.test(name)) options[name as 'lang'] = value;
    if (name === 'device' && value) options.device = value.slice(0, 100);
    if (NUMBERS.test(name) && /^\d+$/.test(value)) options[name as 'cores'] = Number(value);
    return '';
  });
  return options;
}

/** The fragment with these options. */
export function fragmentOf(options: FragmentOptions): string {
  const said = Object.entries(options).map(
    ([name, value]) => `${name}=${encodeURIComponent(value).replace(/_/g, '%5F')};`,
  );
  return said.join('');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The join token, the last folder of the page's path; empty with open access. */
export function tokenOf(pathname: string): string {
  const folders = pathname.split('/').slice(1, -1);
  return folders.length > 0 ? folders[folders.length - 1] : '';
}

/** The address of the page's folder, which holds all its files. */
export function folderOf(href: string): string {
  return href.replace(/[?#].*$/, '').replace(/[^/]*$/, '');
}

/**
 * The number of cores to lend: the asked number, or all cores but one; from 1 to `MOST_CORES`.
 *
 * @param vague whether the browser reports 4 for any number below 8
 * @param spared whether only half of the cores are lent: on phones, and on battery
 */
export function coresToLend(
  asked: number | undefined,
  hardware: number | undefined,
  vague = false,
  spared = false,
): number {
  const known = vague && hardware === 4 ? 2 : hardware || 2;
  const cores = asked === undefined ? (spared ? known >> 1 : known - 1) : asked;
  return Math.max(1, Math.min(MOST_CORES, cores));
}

export const MOST_CORES = 64;
