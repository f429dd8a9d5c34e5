/**
 * URL and URLSearchParams for the addresses that functions meet: of http, https, ws, wss, ftp and
 * file, and others as they are. Names of hosts stay as they are written, in lower case: names with
 * letters outside ASCII are refused.
 */

const PORTS: Record<string, string> = {
  'http:': '80',
  'https:': '443',
  'ws:': '80',
  'wss:': '443',
  'ftp:': '21',
  'file:': '',
};
const UNSAFE_IN_PATH = /[^!$&'()*+,\-./0-9:;=@A-Z[\\\]_a-z|~%]/gu;
const UNSAFE_IN_QUERY = /[^!$%&()*+,\-./0-9:;=?@A-Z[\\\]^_`a-z{|}~]/gu;
const UNSAFE_IN_HASH = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\\\]^_a-z{|}~]/gu;
const UNSAFE_IN_USER = /[^!$%&'()*+,\-.0-9A-Z_a-z~]/gu;

const escaped = (text: string, unsafe: RegExp) => text.replace(unsafe, encodeURIComponentOf);

function encodeURIComponentOf(character: string): string {
  if (/[!'()*]/.test(character)) return '%' + character.charCodeAt(0).toString(16).toUpperCase();
  try {
    return encodeURIComponent(character);
  } catch {
    return '%EF%BF%BD';
  }
}

export class URLSearchParams {
  private pairs: [string, string][] = [];
  /** Tells the URL of a change. */
  changed: () => void = () => {};

  constructor(init: unknown = '') {
    if (typeof init === 'object' && init !== null) {
      const pairs =
        Symbol.iterator in init
          ? [...(init as Iterable<[unknown, unknown]>)]
          : Object.entries(init);
      this.pairs = pairs.map(([name, value]) => [String(name), String(value)]);
    } else this.read(String(init));
  }

  /** Replaces all pairs by those of a query. */
  read(query: string): void {
    const words = query.replace(/^\?/, '').split('&').filter(Boolean);
    this.pairs = words.map((word) => {
      const at = word.indexOf('=');
      return at < 0
        ? [decoded(word), '']
        : [decoded(word.slice(0, at)), decoded(word.slice(at + 1))];
    });
  }

  get size(): number {
    return this.pairs.length;
  }

  append(name: unknown, value: unknown): void {
    this.pairs.push([String(name), String(value)]);
    this.changed();
  }

  delete(name: unknown): void {
    this.pairs = this.pairs.filter(([other]) => other !== String(name));
    this.changed();
  }

  get(name: unknown): string | null {
    const pair = this.pairs.find(([other]) => other === String(name));
    return pair ? pair[1] : null;
  }

  getAll(name: unknown): string[] {
    return this.pairs.filter(([other]) => other === String(name)).map(([, value]) => value);
  }

  has(name: unknown): boolean {
    return this.pairs.some(([other]) => other === String(name));
  }

  set(name: unknown, value: unknown): void {
    const first = this.pairs.findIndex(([other]) => other === String(name));
    if (first < 0) return this.append(name, value);
    this.pairs[first][1] = String(value);
    this.pairs = this.pairs.filter(([other], i) => i <= first || other !== String(name));
    this.changed();
  }

  sort(): void {
    this.pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.changed();
  }

  forEach(visit: (value: string, name: string, all: URLSearchParams) => void): void {
    for (const [name, value] of this.pairs) visit(value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const [name, value] of this.pairs) yield [name, value];
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.pairs) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.pairs) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.pairs
      .map(([name, value]) => `${formEncoded(name)}=${formEncoded(value)}`)
      .join('&');
  }
}

function formEncoded(text: string): string {
  return text
    .replace(/[^*\-.0-9A-Z_a-z ]/gu, encodeURIComponentOf)
    .replace(/~/g, '%7E')
    .replace(/ /g, '+');
}

function decoded(text: string): string {
  const plain = text.replace(/\+/g, ' ');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain.replace(/(%[0-9a-f]{2})+/gi, (bytes) => {
      const numbers = bytes
        .slice(1)
        .split('%')
        .map((byte) => parseInt(byte, 16));
      return new TextDecoder().decode(Uint8Array.from(numbers));
    });
  }
}

interface Parts {
  protocol: string;
  username: string;
  password: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  /** Whether `//` stands before the host. */
  hasHost: boolean;
}

export class URL {
  private readonly parts: Parts;
  readonly searchParams: URLSearchParams;

  constructor(url: unknown, base?: unknown) {
    const from = base === undefined ? null : new URL(base).parts;
    this.parts = parsed(String(url), from);
    this.searchParams = new URLSearchParams(this.parts.search);
    this.searchParams.changed = () => {
      const query = this.searchParams.toString();
      this.parts.search = query && '?' + query;
    };
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return URL.parse(url, base) !== null;
  }

  static parse(url: unknown, base?: unknown): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  get href(): string {
    const { protocol, username, password, pathname, search, hash, hasHost } = this.parts;
    const user = username || password ? username + (password && ':' + password) + '@' : '';
    return protocol + (hasHost ? '//' + user + this.host : '') + pathname + search + hash;
  }

  get origin(): string {
    const { protocol } = this.parts;
    return protocol in PORTS && protocol !== 'file:' ? protocol + '//' + this.host : 'null';
  }

  get host(): string {
    return this.parts.hostname + (this.parts.port && ':' + this.parts.port);
  }

  get protocol(): string {
    return this.parts.protocol;
  }

  get username(): string {
    return this.parts.username;
  }

  get password(): string {
    return this.parts.password;
  }

  get hostname(): string {
    return this.parts.hostname;
  }

  get port(): string {
    return this.parts.port;
  }

  get pathname(): string {
    return this.parts.pathname;
  }

  set pathname(path: string) {
    this.parts.pathname = normal(escaped(path.replace(/^(?!\/)/, '/'), UNSAFE_IN_PATH));
  }

  get search(): string {
    return this.parts.search;
  }

  set search(query: string) {
    const plain = String(query).replace(/^\?/, '');
    this.parts.search = plain && '?' + escaped(plain, UNSAFE_IN_QUERY);
    this.searchParams.read(plain);
  }

  get hash(): string {
    return this.parts.hash;
  }

  set hash(hash: string) {
    const plain = String(hash).replace(/^#/, '');
    this.parts.hash = plain && '#' + escaped(plain, UNSAFE_IN_HASH);
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }
}

function invalid(url: string): TypeError {
  return new TypeError(`Invalid URL: ${url}`);
}

function parsed(given: string, base: Parts | null): Parts {
  const url = given.trim().replace(/[\t\n\r]/g, '');
  const [, before, hash = ''] = /^([^#]*)(#.*)?$/s.exec(url) as RegExpExecArray;
  const [, main, search = ''] = /^([^?]*)(\?.*)?$/s.exec(before) as RegExpExecArray;
  const end = {
    search: search.length > 1 ? escaped(search, UNSAFE_IN_QUERY) : '',
    hash: hash.length > 1 ? '#' + escaped(hash.slice(1), UNSAFE_IN_HASH) : '',
  };
  const scheme = /^([a-z][a-z0-9+.-]*:)(.*)$/is.exec(main);
  if (!scheme) {
    if (!base) throw invalid(given);
    const parts = relative(main, base, given, search !== '');
    return { ...parts, search: end.search || parts.search, hash: end.hash };
  }
  const protocol = scheme[1].toLowerCase();
  const rest = protocol in PORTS ? scheme[2].replace(/\\/g, '/') : scheme[2];
  if (protocol in PORTS || rest.startsWith('//')) {
    const place = rest.replace(/^\/*/, '');
    const isFile = protocol === 'file:';
    // Three slashes: a file has no host.
    const after = isFile ? (/^\/\/([^/].*)?$/s.test(rest) ? place : '/' + place) : place;
    return { ...withHost(protocol, after, given), ...end };
  }
  return { ...empty(protocol), pathname: rest, ...end };
}

function empty(protocol: string): Parts {
  const none = {
    username: '',
    password: '',
    hostname: '',
    port: '',
    search: '',
    hash: '',
  };
  return { protocol, ...none, pathname: '', hasHost: false };
}

function withHost(protocol: string, place: string, given: string): Parts {
  const [, authority, path] = /^([^/]*)(.*)$/s.exec(place) as RegExpExecArray;
  const at = authority.lastIndexOf('@');
  const [user, ...password] = at < 0 ? [''] : authority.slice(0, at).split(':');
  const host = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::([0-9]*))?$/i.exec(authority.slice(at + 1));
  const name = host ? host[1].toLowerCase() : '';
  const isWrong = /[^!$&'()*+,\-.0-9:;=[\]_a-z~%]/.test(name) || (!name && protocol !== 'file:');
  if (!host || (isWrong && protocol in PORTS) || Number(host[2]) > 65535) throw invalid(given);
  const port = host[2] ? String(Number(host[2])) : '';
  return {
    protocol,
    username: escaped(user, UNSAFE_IN_USER),
    password: escaped(password.join(':'), UNSAFE_IN_USER),
    hostname: name,
    port: port === PORTS[protocol] ? '' : port,
    pathname: normal(escaped(path || (protocol in PORTS ? '/' : ''), UNSAFE_IN_PATH)),
    search: '',
    hash: '',
    hasHost: true,
  };
}

function relative(main: string, base: Parts, given: string, hasQuery: boolean): Parts {
  const path = base.protocol in PORTS ? main.replace(/\\/g, '/') : main;
  if (!base.hasHost && !(path === '' && !hasQuery)) throw invalid(given);
  if (path.startsWith('//')) return withHost(base.protocol, path.slice(2), given);
  if (path === '') return { ...base, search: hasQuery ? '' : base.search };
  const folder = base.pathname.slice(0, base.pathname.lastIndexOf('/') + 1);
  const whole = path.startsWith('/') ? path : folder + path;
  return { ...base, pathname: normal(escaped(whole, UNSAFE_IN_PATH)), search: '' };
}

/** A path without `.` and `..`. */
function normal(path: string): string {
  if (!path.startsWith('/')) return path;
  const kept: string[] = [];
  const parts = path.slice(1).split('/');
  parts.forEach((part, i) => {
    const plain = part.replace(/%2e/gi, '.');
    const isLast = i === parts.length - 1;
    if (plain === '..') kept.pop();
    else if (plain !== '.') kept.push(part);
    if (isLast && (plain === '..' || plain === '.')) kept.push('');
  });
  return '/' + kept.join('/');
}
