"use strict";
(() => {
  // src/embedded/response.ts
  var Response = class {
    constructor(blob) {
      this.blob = blob;
    }
    arrayBuffer() {
      return this.blob.arrayBuffer();
    }
  };

  // src/embedded/native.ts
  var CHARACTERS = 8192;
  function binary(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += CHARACTERS)
      text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHARACTERS));
    return text;
  }

  // src/embedded/encoding.ts
  var REPLACEMENT = 65533;
  var LABELS = /^\s*(utf-?8|unicode-1-1-utf-8|x-unicode20utf8)\s*$/i;
  var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  function encodingGlobals(native2) {
    const utf82 = (text) => native2.utf8(wellFormed(text));
    class TextEncoder2 {
      constructor() {
        this.encoding = "utf-8";
      }
      encode(text = "") {
        return utf82(String(text));
      }
      encodeInto(text, into) {
        let read = 0;
        let written = 0;
        for (const character2 of String(text)) {
          const bytes = character2.length === 1 && character2 < "" ? null : utf82(character2);
          const length = bytes ? bytes.length : 1;
          if (written + length > into.length) break;
          if (bytes) into.set(bytes, written);
          else into[written] = character2.charCodeAt(0);
          written += length;
          read += character2.length;
        }
        return { read, written };
      }
    }
    return { TextEncoder: TextEncoder2, TextDecoder: TextDecoder2, atob, btoa };
  }
  function wellFormed(text) {
    return text.replace(
      /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
      "�"
    );
  }
  var TextDecoder2 = class {
    constructor(label = "utf-8", options = {}) {
      this.encoding = "utf-8";
      /** The bytes of an unfinished character, with `stream`. */
      this.rest = [];
      this.hasBegun = false;
      if (!LABELS.test(String(label)))
        throw new RangeError(`the encoding '${label}' is not known here: only utf-8`);
      this.fatal = !!options.fatal;
      this.ignoreBOM = !!options.ignoreBOM;
    }
    decode(source, options = {}) {
      const given2 = source === void 0 ? new Uint8Array(0) : bytesOf(source);
      const bytes = this.rest.length ? Uint8Array.from([...this.rest, ...given2]) : given2;
      this.rest = [];
      let text = this.text(bytes, !!options.stream);
      if (!this.hasBegun && text.length > 0) {
        if (!this.ignoreBOM && text[0] === "\uFEFF") text = text.slice(1);
        this.hasBegun = true;
      }
      if (!options.stream) this.hasBegun = false;
      return text;
    }
    text(bytes, isPart) {
      if (bytes.every((byte) => byte < 128)) return binary(bytes);
      const units = [];
      let text = "";
      for (let at = 0; at < bytes.length; ) {
        const [code2, length] = character(bytes, at);
        if (length === 0) {
          if (isPart) {
            this.rest = Array.from(bytes.subarray(at));
            break;
          }
          at = bytes.length;
        }
        if (code2 < 0 && this.fatal) {
          this.hasBegun = false;
          throw new TypeError("the bytes are not UTF-8");
        }
        const point = code2 < 0 ? REPLACEMENT : code2;
        if (point > 65535) units.push(55296 + (point - 65536 >> 10), 56320 + (point & 1023));
        else units.push(point);
        at += length;
        if (units.length > 4096) text += String.fromCharCode.apply(null, units.splice(0));
      }
      return text + String.fromCharCode.apply(null, units);
    }
  };
  function character(bytes, at) {
    const first = bytes[at];
    if (first < 128) return [first, 1];
    if (first < 194 || first > 244) return [-1, 1];
    const length = first < 224 ? 2 : first < 240 ? 3 : 4;
    let code2 = first & 127 >> length;
    let least = first === 224 ? 160 : first === 240 ? 144 : 128;
    let most = first === 237 ? 159 : first === 244 ? 143 : 191;
    for (let i = 1; i < length; i++) {
      if (at + i >= bytes.length) return [-1, 0];
      const next = bytes[at + i];
      if (next < least || next > most) return [-1, i];
      [least, most] = [128, 191];
      code2 = code2 << 6 | next & 63;
    }
    return [code2, length];
  }
  function bytesOf(source) {
    if (ArrayBuffer.isView(source))
      return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return new Uint8Array(source);
  }
  function btoa(data) {
    const text = String(data);
    let out = "";
    for (let at = 0; at < text.length; at += 3) {
      const codes = [0, 1, 2].map((i) => text.charCodeAt(at + i));
      if (codes.some((code2) => code2 > 255)) throw new Error("btoa takes characters up to U+00FF");
      const [a, b, c] = codes.map((code2) => code2 || 0);
      out += ALPHABET[a >> 2] + ALPHABET[(a & 3) << 4 | b >> 4];
      out += at + 1 < text.length ? ALPHABET[(b & 15) << 2 | c >> 6] : "=";
      out += at + 2 < text.length ? ALPHABET[c & 63] : "=";
    }
    return out;
  }
  function atob(data) {
    let text = String(data).replace(/[\t\n\f\r ]/g, "");
    if (text.length % 4 === 0) text = text.replace(/==?$/, "");
    if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text))
      throw new Error("the text is not base64");
    let out = "";
    let bits = 0;
    let value = 0;
    for (const letter of text) {
      value = (value << 6 | ALPHABET.indexOf(letter)) & 16777215;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      out += String.fromCharCode(value >> bits & 255);
    }
    return out;
  }

  // src/embedded/blob.ts
  var contents = /* @__PURE__ */ new WeakMap();
  var Blob = class {
    constructor(parts = [], options = {}) {
      const bytes = Array.from(parts, partOf);
      const joined = new Uint8Array(bytes.reduce((size, part) => size + part.length, 0));
      let at = 0;
      for (const part of bytes) {
        joined.set(part, at);
        at += part.length;
      }
      contents.set(this, joined);
      this.type = options.type === void 0 ? "" : String(options.type).toLowerCase();
    }
    get size() {
      return content(this).length;
    }
    get [Symbol.toStringTag]() {
      return "Blob";
    }
    slice(start, end, type) {
      return blobOf([content(this).slice(start, end)], { type });
    }
    text() {
      return this.read((bytes) => new TextDecoder().decode(bytes));
    }
    arrayBuffer() {
      return this.read((bytes) => bytes.slice().buffer);
    }
    bytes() {
      return this.read((bytes) => bytes.slice());
    }
    async read(of) {
      return of(content(this));
    }
  };
  var File = class extends Blob {
    constructor(parts, name, options = {}) {
      super(parts, options);
      this.name = String(name);
      this.lastModified = options.lastModified === void 0 ? Date.now() : options.lastModified;
    }
    get [Symbol.toStringTag]() {
      return "File";
    }
  };
  function blobOf(parts, options) {
    return new Blob(parts, options);
  }
  var blobGlobals = { Blob, File };
  function content(blob) {
    const bytes = contents.get(blob);
    if (!bytes) throw new TypeError("this is no Blob");
    return bytes;
  }
  function partOf(part) {
    if (part instanceof Blob) return content(part);
    if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return bytesOf(part);
    return new TextEncoder().encode(String(part));
  }

  // src/embedded/clone.ts
  var PRIMITIVES = [Boolean, Number, String, BigInt];
  function structuredClone(value, { transfer = [] } = {}) {
    const copy = cloned(value, /* @__PURE__ */ new Map());
    for (const buffer of transfer) buffer.transfer();
    return copy;
  }
  function cloned(value, seen) {
    if (typeof value === "function" || typeof value === "symbol") throw uncloneable(value);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    if (Array.isArray(value)) return members(value, keep(new Array(value.length)), seen);
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) return keep(viewOf(value, seen));
    if (value instanceof Map) {
      const copy = keep(/* @__PURE__ */ new Map());
      for (const [key, member2] of value) copy.set(cloned(key, seen), cloned(member2, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(/* @__PURE__ */ new Set());
      for (const member2 of value) copy.add(cloned(member2, seen));
      return copy;
    }
    if (value instanceof Error) return keep(errorOf(value, seen));
    if (PRIMITIVES.some((kind) => value instanceof kind)) return keep(Object(value.valueOf()));
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet)
      throw uncloneable(value);
    return members(value, keep({}), seen);
  }
  function members(from, into, seen) {
    for (const [name, member2] of Object.entries(from))
      into[name] = cloned(member2, seen);
    return into;
  }
  function viewOf(view, seen) {
    const buffer = cloned(view.buffer, seen);
    const length = view.length;
    return new view.constructor(
      buffer,
      view.byteOffset,
      length === void 0 ? view.byteLength : length
    );
  }
  function errorOf(error, seen) {
    const copy = new Error(error.message);
    copy.name = error.name;
    copy.stack = error.stack;
    if ("cause" in error) copy.cause = cloned(error.cause, seen);
    return copy;
  }
  function uncloneable(value) {
    const error = new Error(`${String(value)} could not be cloned`);
    error.name = "DataCloneError";
    return error;
  }

  // src/embedded/events.ts
  var Event = class {
    constructor(type) {
      this.defaultPrevented = false;
      this.target = null;
      this.type = String(type);
    }
    preventDefault() {
      this.defaultPrevented = true;
    }
  };
  var EventTarget = class {
    constructor() {
      this.listeners = /* @__PURE__ */ new Map();
    }
    addEventListener(type, listener2, options) {
      if (!listener2) return;
      const all = this.listeners.get(type) || /* @__PURE__ */ new Map();
      this.listeners.set(type, all);
      if (!all.has(listener2)) all.set(listener2, typeof options === "object" && !!options.once);
    }
    removeEventListener(type, listener2) {
      const all = this.listeners.get(type);
      if (all && listener2) all.delete(listener2);
    }
    dispatchEvent(event) {
      event.target = this;
      const handler = this["on" + event.type];
      if (typeof handler === "function") handler.call(this, event);
      for (const [listener2, once] of [...this.listeners.get(event.type) || []]) {
        if (once) this.removeEventListener(event.type, listener2);
        if (typeof listener2 === "function") listener2.call(this, event);
        else listener2.handleEvent(event);
      }
      return !event.defaultPrevented;
    }
  };
  var DOMException = class extends Error {
    constructor(message = "", name = "Error") {
      super(message);
      this.name = name;
    }
  };
  var AbortSignal = class _AbortSignal extends EventTarget {
    constructor() {
      super(...arguments);
      this.aborted = false;
      this.reason = void 0;
      this.onabort = null;
    }
    throwIfAborted() {
      if (this.aborted) throw this.reason;
    }
    static abort(reason) {
      const signal = new _AbortSignal();
      abort(signal, reason);
      return signal;
    }
    static timeout(ms) {
      const signal = new _AbortSignal();
      setTimeout(() => abort(signal, new DOMException("the time is over", "TimeoutError")), ms);
      return signal;
    }
    static any(signals) {
      const all = [...signals];
      const signal = new _AbortSignal();
      const first = all.find((other) => other.aborted);
      if (first) abort(signal, first.reason);
      else
        for (const other of all)
          other.addEventListener("abort", () => abort(signal, other.reason), {
            once: true
          });
      return signal;
    }
  };
  function abort(signal, reason) {
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason === void 0 ? new DOMException("this was aborted", "AbortError") : reason;
    signal.dispatchEvent(new Event("abort"));
  }
  var AbortController2 = class {
    constructor() {
      this.signal = new AbortSignal();
    }
    abort(reason) {
      abort(this.signal, reason);
    }
  };
  var eventGlobals = {
    Event,
    EventTarget,
    DOMException,
    AbortController: AbortController2,
    AbortSignal
  };

  // src/embedded/timers.ts
  var Timers = class {
    constructor(now, uncaught2) {
      this.now = now;
      this.uncaught = uncaught2;
      this.timers = /* @__PURE__ */ new Map();
      this.last = 0;
      this.order = 0;
    }
    add(run, ms, repeats) {
      const delay = Math.max(repeats ? 1 : 0, Number(ms) || 0);
      const id = ++this.last;
      const every = repeats ? delay : null;
      this.timers.set(id, {
        at: this.now() + delay,
        order: ++this.order,
        run,
        every
      });
      return id;
    }
    remove(id) {
      this.timers.delete(id);
    }
    untilNext() {
      let next = Infinity;
      for (const timer of this.timers.values()) next = Math.min(next, timer.at);
      return next === Infinity ? -1 : Math.max(0, next - this.now());
    }
    /** Runs the first timer that is due. The jobs of a timer come before the next timer. */
    runNext() {
      const now = this.now();
      let first;
      for (const entry of this.timers) {
        const [, timer2] = entry;
        if (timer2.at > now) continue;
        if (!first || timer2.at - first[1].at < 0 || timer2.at === first[1].at && timer2.order < first[1].order)
          first = entry;
      }
      if (!first) return;
      const [id, timer] = first;
      if (timer.every === null) this.timers.delete(id);
      else timer.at = now + timer.every;
      try {
        timer.run();
      } catch (error) {
        this.uncaught(error);
      }
    }
  };
  function timerGlobals(timers2) {
    const bound = (run, args) => {
      if (typeof run !== "function") throw new TypeError("a timer needs a function");
      return () => run(...args);
    };
    const remove = (id) => timers2.remove(id);
    return {
      setTimeout: (run, ms, ...args) => timers2.add(bound(run, args), ms, false),
      setInterval: (run, ms, ...args) => timers2.add(bound(run, args), ms, true),
      clearTimeout: remove,
      clearInterval: remove,
      queueMicrotask: (run) => void Promise.resolve().then(() => run())
    };
  }

  // src/embedded/url.ts
  var PORTS = {
    "http:": "80",
    "https:": "443",
    "ws:": "80",
    "wss:": "443",
    "ftp:": "21",
    "file:": ""
  };
  var UNSAFE_IN_PATH = /[^!$&'()*+,\-./0-9:;=@A-Z[\\\]_a-z|~%]/gu;
  var UNSAFE_IN_QUERY = /[^!$%&()*+,\-./0-9:;=?@A-Z[\\\]^_`a-z{|}~]/gu;
  var UNSAFE_IN_HASH = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\\\]^_a-z{|}~]/gu;
  var UNSAFE_IN_USER = /[^!$%&'()*+,\-.0-9A-Z_a-z~]/gu;
  var escaped = (text, unsafe) => text.replace(unsafe, encodeURIComponentOf);
  function encodeURIComponentOf(character2) {
    if (/[!'()*]/.test(character2)) return "%" + character2.charCodeAt(0).toString(16).toUpperCase();
    try {
      return encodeURIComponent(character2);
    } catch {
      return "%EF%BF%BD";
    }
  }
  var URLSearchParams = class {
    constructor(init = "") {
      this.pairs = [];
      /** Tells the URL of a change. */
      this.changed = () => {
      };
      if (typeof init === "object" && init !== null) {
        const pairs = Symbol.iterator in init ? [...init] : Object.entries(init);
        this.pairs = pairs.map(([name, value]) => [String(name), String(value)]);
      } else this.read(String(init));
    }
    /** Replaces all pairs by those of a query. */
    read(query) {
      const words = query.replace(/^\?/, "").split("&").filter(Boolean);
      this.pairs = words.map((word) => {
        const at = word.indexOf("=");
        return at < 0 ? [decoded(word), ""] : [decoded(word.slice(0, at)), decoded(word.slice(at + 1))];
      });
    }
    get size() {
      return this.pairs.length;
    }
    append(name, value) {
      this.pairs.push([String(name), String(value)]);
      this.changed();
    }
    delete(name) {
      this.pairs = this.pairs.filter(([other]) => other !== String(name));
      this.changed();
    }
    get(name) {
      const pair = this.pairs.find(([other]) => other === String(name));
      return pair ? pair[1] : null;
    }
    getAll(name) {
      return this.pairs.filter(([other]) => other === String(name)).map(([, value]) => value);
    }
    has(name) {
      return this.pairs.some(([other]) => other === String(name));
    }
    set(name, value) {
      const first = this.pairs.findIndex(([other]) => other === String(name));
      if (first < 0) return this.append(name, value);
      this.pairs[first][1] = String(value);
      this.pairs = this.pairs.filter(([other], i) => i <= first || other !== String(name));
      this.changed();
    }
    sort() {
      this.pairs.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
      this.changed();
    }
    forEach(visit) {
      for (const [name, value] of this.pairs) visit(value, name, this);
    }
    *entries() {
      for (const [name, value] of this.pairs) yield [name, value];
    }
    *keys() {
      for (const [name] of this.pairs) yield name;
    }
    *values() {
      for (const [, value] of this.pairs) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return this.pairs.map(([name, value]) => `${formEncoded(name)}=${formEncoded(value)}`).join("&");
    }
  };
  function formEncoded(text) {
    return text.replace(/[^*\-.0-9A-Z_a-z ]/gu, encodeURIComponentOf).replace(/~/g, "%7E").replace(/ /g, "+");
  }
  function decoded(text) {
    const plain = text.replace(/\+/g, " ");
    try {
      return decodeURIComponent(plain);
    } catch {
      return plain.replace(/(%[0-9a-f]{2})+/gi, (bytes) => {
        const numbers = bytes.slice(1).split("%").map((byte) => parseInt(byte, 16));
        return new TextDecoder().decode(Uint8Array.from(numbers));
      });
    }
  }
  var URL = class _URL {
    constructor(url, base) {
      const from = base === void 0 ? null : new _URL(base).parts;
      this.parts = parsed(String(url), from);
      this.searchParams = new URLSearchParams(this.parts.search);
      this.searchParams.changed = () => {
        const query = this.searchParams.toString();
        this.parts.search = query && "?" + query;
      };
    }
    static canParse(url, base) {
      return _URL.parse(url, base) !== null;
    }
    static parse(url, base) {
      try {
        return new _URL(url, base);
      } catch {
        return null;
      }
    }
    get href() {
      const { protocol, username, password, pathname, search, hash, hasHost } = this.parts;
      const user = username || password ? username + (password && ":" + password) + "@" : "";
      return protocol + (hasHost ? "//" + user + this.host : "") + pathname + search + hash;
    }
    get origin() {
      const { protocol } = this.parts;
      return protocol in PORTS && protocol !== "file:" ? protocol + "//" + this.host : "null";
    }
    get host() {
      return this.parts.hostname + (this.parts.port && ":" + this.parts.port);
    }
    get protocol() {
      return this.parts.protocol;
    }
    get username() {
      return this.parts.username;
    }
    get password() {
      return this.parts.password;
    }
    get hostname() {
      return this.parts.hostname;
    }
    get port() {
      return this.parts.port;
    }
    get pathname() {
      return this.parts.pathname;
    }
    set pathname(path) {
      this.parts.pathname = normal(escaped(path.replace(/^(?!\/)/, "/"), UNSAFE_IN_PATH));
    }
    get search() {
      return this.parts.search;
    }
    set search(query) {
      const plain = String(query).replace(/^\?/, "");
      this.parts.search = plain && "?" + escaped(plain, UNSAFE_IN_QUERY);
      this.searchParams.read(plain);
    }
    get hash() {
      return this.parts.hash;
    }
    set hash(hash) {
      const plain = String(hash).replace(/^#/, "");
      this.parts.hash = plain && "#" + escaped(plain, UNSAFE_IN_HASH);
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
  };
  function invalid(url) {
    return new TypeError(`Invalid URL: ${url}`);
  }
  function parsed(given2, base) {
    const url = given2.trim().replace(/[\t\n\r]/g, "");
    const [, before, hash = ""] = /^([^#]*)(#.*)?$/s.exec(url);
    const [, main, search = ""] = /^([^?]*)(\?.*)?$/s.exec(before);
    const end = {
      search: search.length > 1 ? escaped(search, UNSAFE_IN_QUERY) : "",
      hash: hash.length > 1 ? "#" + escaped(hash.slice(1), UNSAFE_IN_HASH) : ""
    };
    const scheme = /^([a-z][a-z0-9+.-]*:)(.*)$/is.exec(main);
    if (!scheme) {
      if (!base) throw invalid(given2);
      const parts = relative(main, base, given2, search !== "");
      return { ...parts, search: end.search || parts.search, hash: end.hash };
    }
    const protocol = scheme[1].toLowerCase();
    const rest = protocol in PORTS ? scheme[2].replace(/\\/g, "/") : scheme[2];
    if (protocol in PORTS || rest.startsWith("//")) {
      const place = rest.replace(/^\/*/, "");
      const isFile = protocol === "file:";
      const after = isFile ? /^\/\/([^/].*)?$/s.test(rest) ? place : "/" + place : place;
      return { ...withHost(protocol, after, given2), ...end };
    }
    return { ...empty(protocol), pathname: rest, ...end };
  }
  function empty(protocol) {
    const none = {
      username: "",
      password: "",
      hostname: "",
      port: "",
      search: "",
      hash: ""
    };
    return { protocol, ...none, pathname: "", hasHost: false };
  }
  function withHost(protocol, place, given2) {
    const [, authority, path] = /^([^/]*)(.*)$/s.exec(place);
    const at = authority.lastIndexOf("@");
    const [user, ...password] = at < 0 ? [""] : authority.slice(0, at).split(":");
    const host = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::([0-9]*))?$/i.exec(authority.slice(at + 1));
    const name = host ? host[1].toLowerCase() : "";
    const isWrong = /[^!$&'()*+,\-.0-9:;=[\]_a-z~%]/.test(name) || !name && protocol !== "file:";
    if (!host || isWrong && protocol in PORTS || Number(host[2]) > 65535) throw invalid(given2);
    const port = host[2] ? String(Number(host[2])) : "";
    return {
      protocol,
      username: escaped(user, UNSAFE_IN_USER),
      password: escaped(password.join(":"), UNSAFE_IN_USER),
      hostname: name,
      port: port === PORTS[protocol] ? "" : port,
      pathname: normal(escaped(path || (protocol in PORTS ? "/" : ""), UNSAFE_IN_PATH)),
      search: "",
      hash: "",
      hasHost: true
    };
  }
  function relative(main, base, given2, hasQuery) {
    const path = base.protocol in PORTS ? main.replace(/\\/g, "/") : main;
    if (!base.hasHost && !(path === "" && !hasQuery)) throw invalid(given2);
    if (path.startsWith("//")) return withHost(base.protocol, path.slice(2), given2);
    if (path === "") return { ...base, search: hasQuery ? "" : base.search };
    const folder = base.pathname.slice(0, base.pathname.lastIndexOf("/") + 1);
    const whole = path.startsWith("/") ? path : folder + path;
    return { ...base, pathname: normal(escaped(whole, UNSAFE_IN_PATH)), search: "" };
  }
  function normal(path) {
    if (!path.startsWith("/")) return path;
    const kept = [];
    const parts = path.slice(1).split("/");
    parts.forEach((part, i) => {
      const plain = part.replace(/%2e/gi, ".");
      const isLast = i === parts.length - 1;
      if (plain === "..") kept.pop();
      else if (plain !== ".") kept.push(part);
      if (isLast && (plain === ".." || plain === ".")) kept.push("");
    });
    return "/" + kept.join("/");
  }

  // src/embedded/globals.ts
  var MOST_RANDOM = 65536;
  function setGlobals(native2, timers2) {
    const startedAt = Date.now() - native2.now();
    const globals = {
      self: globalThis,
      console: {},
      performance: { now: () => native2.now(), timeOrigin: startedAt },
      crypto: cryptoOf(native2),
      navigator: {
        userAgent: "Pando",
        language: "en",
        hardwareConcurrency: 1,
        onLine: true
      },
      importScripts: () => {
        throw new Error(
          "importScripts() is not available here: what the function needs is in its bundle"
        );
      },
      structuredClone,
      URL,
      URLSearchParams,
      ...blobGlobals,
      ...eventGlobals,
      ...encodingGlobals(native2),
      ...timerGlobals(timers2)
    };
    for (const name of Object.keys(globals)) {
      const value = globals[name];
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
      const { prototype } = value;
      if (prototype && !(Symbol.toStringTag in prototype))
        Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
    }
    globalThis.location = new URL("http://localhost/function.js");
  }
  function cryptoOf(native2) {
    const random = (view) => {
      if (!ArrayBuffer.isView(view)) throw new TypeError("getRandomValues takes a typed array");
      if (view.byteLength > MOST_RANDOM)
        throw new Error(`getRandomValues fills at most ${MOST_RANDOM} bytes`);
      bytesOf(view).set(native2.random(view.byteLength));
      return view;
    };
    const randomUUID = () => {
      const bytes = native2.random(16);
      bytes[6] = bytes[6] & 15 | 64;
      bytes[8] = bytes[8] & 63 | 128;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return [0, 8, 12, 16, 20].map((at, i, all) => hex.slice(at, all[i + 1])).join("-");
    };
    return { getRandomValues: random, randomUUID };
  }

  // src/embedded/world.ts
  var given = globalThis;
  var native = given.__pandoNative;
  delete given.__pandoNative;
  var listener = { uncaught: (error) => void error };
  var timers = new Timers(native.now, (error) => listener.uncaught(error));
  setGlobals(native, timers);

  // src/embedded/assets.ts
  var EmbeddedAssets = class {
    constructor(folder, native2) {
      this.folder = folder;
      this.native = native2;
      /** The bytes of each asset that was asked for, as promises. */
      this.bytes = /* @__PURE__ */ new Map();
      /** What waits for answers of the host, by the ids of the requests. */
      this.waiting = /* @__PURE__ */ new Map();
      this.asset = (name) => {
        let bytes = this.bytes.get(name);
        if (!bytes) {
          bytes = this.read(String(name));
          this.bytes.set(name, bytes);
          bytes.catch(() => this.bytes.delete(name));
        }
        return bytes;
      };
      this.assetUrl = (name) => {
        throw new Error(`the embedded engine has no addresses: use context.asset('${name}')`);
      };
    }
    /** The host has answered a request. */
    answered(id, error) {
      const settle = this.waiting.get(id);
      this.waiting.delete(id);
      if (settle) settle(error);
    }
    async read(name) {
      const { root, given: given2, answers } = this.folder;
      if (answers) await this.fetched(name);
      try {
        return this.native.asset(root, name);
      } catch (error) {
        const why = error.message;
        throw new Error(`no asset '${name}' in the folder ${given2} (--assets): ${why}`);
      }
    }
    fetched(name) {
      return new Promise((resolve, reject) => {
        const id = crypto.randomUUID();
        this.waiting.set(id, (error) => error ? reject(new Error(error)) : resolve());
        const request = { type: "asset", id, name };
        this.native.message(JSON.stringify(request));
      });
    }
  };

  // src/core/clock.ts
  var LONGEST_STRIDE = 32;
  var CallClock = class {
    /**
     * @param read the exact clock, in milliseconds
     * @param tick the coarse clock, in whole milliseconds; only two readings of `tick` are compared
     */
    constructor(read, tick) {
      this.read = read;
      this.tick = tick;
      this.stride = 1;
      this.calls = 0;
      this.mean = 0;
      this.last = read();
      this.lastTick = tick();
    }
    /** Reads the clock; the time since the last reading is charged to no call. */
    restart() {
      this.last = this.read();
      this.lastTick = this.tick();
      this.calls = 0;
    }
    /** The compute time of the call that has just ended, in microseconds. */
    charge() {
      const tick = this.tick();
      const quick = tick === this.lastTick;
      if (++this.calls < this.stride && quick) return Math.round(this.mean);
      this.lastTick = tick;
      this.stride = quick ? Math.min(LONGEST_STRIDE, this.stride * 2) : 1;
      return this.settle();
    }
    settle() {
      const now = this.read();
      const spent = (now - this.last) * 1e3;
      const own = Math.max(0, spent - this.mean * (this.calls - 1));
      this.mean = spent / this.calls;
      this.last = now;
      this.calls = 0;
      return Math.round(own);
    }
  };

  // src/core/call.ts
  var Call = class {
    constructor(id, loan, attempt, startedAt) {
      this.id = id;
      this.loan = loan;
      this.attempt = attempt;
      this.startedAt = startedAt;
      this.settled = false;
      /** Whether the callback was called or the call is settled. Any later answer is ignored. */
      this.answered = false;
      /**
       * Whether the call timed out or its answer is no longer needed. A late answer is ignored
       * without a warning.
       */
      this.forgotten = false;
      /** Whether the call returned without an answer, and the core waits for the answer. */
      this.open = false;
      this.timer = null;
      this.abortable = null;
    }
  };
  var HOST = /* @__PURE__ */ Symbol("host");
  var CALL = /* @__PURE__ */ Symbol("call");
  HOST, CALL;
  var Context = class {
    constructor(host, call) {
      this.index = call.id + 1;
      this.attempt = call.attempt + 1;
      this[HOST] = host;
      this[CALL] = call;
    }
    get signal() {
      const call = this[CALL];
      if (!call.abortable) {
        call.abortable = new AbortController();
        if (call.forgotten) call.abortable.abort();
      }
      return call.abortable.signal;
    }
    get report() {
      return (report) => this[HOST].report(report, this[CALL].id);
    }
    get log() {
      return (...args) => void this[HOST].log("log", args, this[CALL].id);
    }
  };

  // src/bytes.ts
  var Malformed = class extends Error {
  };
  var decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  var encoder = new TextEncoder();
  var hasEncodeInto = typeof encoder.encodeInto === "function";
  var SHORT_TO_DECODE = 24;
  var SHORT_TO_ENCODE = 40;
  var MAX_VARINT_BYTES = 8;
  var KEPT_CAPACITY = 1 << 18;
  function utf8(text) {
    return encoder.encode(text);
  }
  function encodeWhole(text, bytes) {
    return hasEncodeInto && encoder.encodeInto(text, bytes).read === text.length;
  }
  function textAt(bytes, start, end) {
    if (end - start < SHORT_TO_DECODE) {
      let text = "";
      let at = start;
      for (; at < end; at++) {
        const code2 = bytes[at];
        if (code2 > 127) break;
        text += String.fromCharCode(code2);
      }
      if (at === end) return text;
    }
    return decoder.decode(bytes.subarray(start, end));
  }
  var Reader = class {
    constructor(bytes, at = 0, end = bytes.length) {
      this.bytes = bytes;
      this.at = at;
      this.end = end;
    }
    varint() {
      const { bytes, end } = this;
      if (this.at < end) {
        const first = bytes[this.at];
        if (first < 128) {
          this.at++;
          return first;
        }
      }
      return this.longVarint();
    }
    longVarint() {
      let value = 0;
      let unit = 1;
      for (let i = 0; i < MAX_VARINT_BYTES; i++) {
        if (this.at >= this.end) throw new Malformed("a frame is cut off");
        const byte = this.bytes[this.at++];
        value += (byte & 127) * unit;
        if (byte < 128) {
          if (value > Number.MAX_SAFE_INTEGER) break;
          return value;
        }
        unit *= 128;
      }
      throw new Malformed("a frame is too large");
    }
    /** Skips `length` bytes and returns the position before them. */
    skip(length) {
      const start = this.at;
      if (length > this.end - start) throw new Malformed("a frame is cut off");
      this.at = start + length;
      return start;
    }
  };
  function varintSize(value) {
    let size = 1;
    while (value > 127) {
      value = Math.floor(value / 128);
      size++;
    }
    return size;
  }
  var Writer = class {
    constructor(capacity = 1 << 12) {
      this.length = 0;
      this.bytes = new Uint8Array(capacity);
    }
    byte(value) {
      this.reserve(1);
      this.bytes[this.length++] = value;
    }
    varint(value) {
      this.reserve(MAX_VARINT_BYTES);
      const bytes = this.bytes;
      while (value > 127) {
        bytes[this.length++] = value % 128 | 128;
        value = Math.floor(value / 128);
      }
      bytes[this.length++] = value;
    }
    raw(data) {
      this.reserve(data.length);
      this.bytes.set(data, this.length);
      this.length += data.length;
    }
    /** Writes the length of `data`, then `data`. */
    sized(data) {
      this.varint(data.length);
      this.raw(data);
    }
    /** Writes the UTF-8 length of `text`, then its bytes. */
    text(text) {
      if (text.length < SHORT_TO_ENCODE && this.ascii(text)) return;
      if (!hasEncodeInto) return this.sized(utf8(text));
      const guess = varintSize(text.length);
      this.reserve(text.length * 3 + MAX_VARINT_BYTES);
      const start = this.length + guess;
      const written = encoder.encodeInto(text, this.bytes.subarray(start)).written;
      const size = varintSize(written);
      if (size !== guess) this.bytes.copyWithin(this.length + size, start, start + written);
      this.varint(written);
      this.length += written;
    }
    ascii(text) {
      const count = text.length;
      this.reserve(count + 1);
      const bytes = this.bytes;
      let at = this.length + 1;
      for (let i = 0; i < count; i++) {
        const code2 = text.charCodeAt(i);
        if (code2 > 127) return false;
        bytes[at++] = code2;
      }
      bytes[this.length] = count;
      this.length = at;
      return true;
    }
    /** Returns the written bytes in a buffer of exactly their size, and empties the writer. */
    take() {
      const taken = new Uint8Array(this.length);
      taken.set(this.bytes.subarray(0, this.length));
      this.length = 0;
      if (this.bytes.length > KEPT_CAPACITY) this.bytes = new Uint8Array(KEPT_CAPACITY);
      return taken;
    }
    reserve(count) {
      const needed = this.length + count;
      if (needed <= this.bytes.length) return;
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, needed));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
  };

  // src/frames.ts
  var KIND_VALUES = 1;
  var KIND_RESULTS = 2;
  var FORM_BYTES = 1;
  var FORM_JSON = 2;
  var CAREFUL = 4;
  var VALUE_LOANS = 8;
  var RESULT_LOANS = 4;
  var RESULT_TEXT = 0;
  var RESULT_BYTES = 1;
  var RESULT_JSON = 2;
  var RESULT_ERROR = 3;
  var PART = 65536;
  var MAX_FRAME = 2 ** 31 - 1;
  function loanOf(id, tag, factor) {
    return tag < factor ? id : `${id}:${Math.floor(tag / factor)}`;
  }
  var ValuesCursor = class {
    /** @param from where the first entry starts; by default after the kind byte */
    constructor(frame, from) {
      this.frame = frame;
      this.id = 0;
      this.tag = 0;
      this.loan = 0;
      /** The number of earlier attempts. */
      this.attempt = 0;
      /** The entry is at `[from, end)`, its content at `[start, end)`. */
      this.from = 0;
      this.start = 0;
      if (from === void 0) expectKind(frame, KIND_VALUES);
      this.reader = new Reader(frame, from === void 0 ? 1 : from);
      this.end = this.reader.at;
    }
    get more() {
      return this.reader.at < this.reader.end;
    }
    /** Moves to the next entry; returns false at the end of the frame. */
    next() {
      const reader = this.reader;
      if (reader.at >= reader.end) return false;
      this.from = reader.at;
      this.id = reader.varint();
      this.tag = reader.varint();
      if ((this.tag & 3) === 3) throw new Malformed("a frame of unknown kind");
      this.loan = loanOf(this.id, this.tag, VALUE_LOANS);
      this.attempt = this.tag < VALUE_LOANS ? 0 : reader.varint();
      this.start = reader.skip(reader.varint());
      this.end = reader.at;
      return true;
    }
    /** The argument for f. Bytes are a view into the frame. */
    value() {
      switch (this.tag & 3) {
        case FORM_BYTES:
          return this.frame.subarray(this.start, this.end);
        case FORM_JSON:
          return JSON.parse(textAt(this.frame, this.start, this.end));
        default:
          return textAt(this.frame, this.start, this.end);
      }
    }
    get careful() {
      return (this.tag & CAREFUL) !== 0;
    }
  };
  function expectKind(frame, kind) {
    if (frame[0] !== kind) throw new Malformed("a frame of unknown kind");
  }
  function partsOfLoan(loan) {
    if (typeof loan === "number") return { id: loan, number: 0 };
    const [id, number] = loan.split(":").map(Number);
    return { id, number };
  }
  var ResultsWriter = class extends Writer {
    textResult(loan, tag, micros, text) {
      this.head(loan, tag, micros);
      this.text(text);
    }
    bytesResult(loan, micros, data) {
      this.longHead(loan, RESULT_BYTES, micros, data.length);
      this.raw(data);
    }
    /** Writes a result up to its bytes. */
    longHead(loan, tag, micros, length) {
      this.head(loan, tag, micros);
      this.varint(length);
    }
    failure(loan, micros, failure2) {
      this.textResult(loan, RESULT_ERROR, micros, JSON.stringify(failure2));
    }
    head(loan, tag, micros) {
      if (this.length === 0) this.byte(KIND_RESULTS);
      const { id, number } = partsOfLoan(loan);
      this.varint(id);
      this.varint(tag + number * RESULT_LOANS);
      this.varint(micros);
    }
  };
  function bytesResultFrame(loan, micros, data) {
    const { frame, at } = longFrame(loan, RESULT_BYTES, micros, data.length);
    frame.set(data, at);
    return frame;
  }
  function textResultFrame(loan, tag, micros, text) {
    const ascii = longFrame(loan, tag, micros, text.length);
    if (encodeWhole(text, ascii.frame.subarray(ascii.at))) return ascii.frame;
    const bytes = utf8(text);
    const { frame, at } = longFrame(loan, tag, micros, bytes.length);
    frame.set(bytes, at);
    return frame;
  }
  function longFrame(loan, tag, micros, length) {
    const head = new ResultsWriter(48);
    head.longHead(loan, tag, micros, length);
    const start = head.take();
    const frame = new Uint8Array(start.length + length);
    frame.set(start);
    return { frame, at: start.length };
  }

  // src/core/inspect.ts
  var DEEPEST_REASON = 4;
  var MOST_ERRORS = 5;
  var UNREADABLE = "[unreadable]";
  function failure(error, kind) {
    const message = failureMessage(error);
    const stack = readable(() => stackOf(error), "");
    return { message, stack: stack || void 0, kind };
  }
  function failureMessage(error) {
    return shorten(describe(error));
  }
  function inspect(value) {
    return readable(
      () => value instanceof Error ? stackOf(value) || describe(value) : plainText(value),
      UNREADABLE
    );
  }
  function describe(error, depth = 0) {
    return readable(() => descriptionOf(error, depth), UNREADABLE);
  }
  function descriptionOf(error, depth) {
    const words = textMember(error, "message") ? heading(error).replace(/^Error: /, "") : textMember(error, "name") || plainText(error);
    const reasons = reasonsOf(error, depth).map(
      ([name, reason]) => `${name}: ${describe(reason, depth + 1)}`
    );
    return reasons.length ? `${words} (${reasons.join("; ")})` : words;
  }
  function stackOf(error, depth = 0) {
    const stack = textMember(error, "stack");
    if (!stack || depth && !stack.includes("function.js")) return "";
    const reasons = reasonsOf(error, depth).map(
      ([name, reason]) => `
  [${name}]: ${stackOf(reason, depth + 1) || describe(reason, depth + 1)}`
    );
    return shorten(
      withHeading(userStack(stack), heading(error), textMember(error, "message")) + reasons.join("")
    );
  }
  function withHeading(stack, heading2, message) {
    if (`
${stack}`.includes(`
${heading2}`)) return stack;
    const frames = stack.search(/^ {4}at /m);
    if (frames < 0 && message && stack.endsWith(message)) return heading2;
    return `${heading2}
${frames > 0 ? stack.slice(frames) : stack}`;
  }
  function heading(error) {
    const name = textMember(error, "name");
    const ofClass = error instanceof Error && (!name || name === "Error") && textMember(error.constructor, "name");
    return [ofClass || name, textMember(error, "message")].filter(Boolean).join(": ");
  }
  function reasonsOf(error, depth) {
    const reasons = [];
    if (depth > DEEPEST_REASON || !textMember(error, "message") && !textMember(error, "stack"))
      return reasons;
    const code2 = member(error, "code");
    const own = {}.hasOwnProperty.call(error, "code");
    if (own && code2 && typeof code2 !== "object" && !textMember(error, "message").includes(String(code2)))
      reasons.push(["code", code2]);
    const errors = member(error, "errors");
    if (Array.isArray(errors))
      for (const each of errors.slice(0, MOST_ERRORS)) reasons.push(["error", each]);
    const cause = member(error, "cause");
    if (cause !== void 0) reasons.push(["cause", cause]);
    return reasons;
  }
  function textMember(holder, name) {
    const value = member(holder, name);
    return typeof value === "string" ? shorten(value) : "";
  }
  function member(holder, name) {
    return readable(() => memberOf(holder, name), void 0);
  }
  function readable(read, otherwise) {
    try {
      return read();
    } catch {
      return otherwise;
    }
  }
  function plainText(value) {
    if (typeof value !== "object" || value === null) return String(value);
    const json = JSON.stringify(value, readableReplacer());
    const tag = classOf(value);
    return json && (json !== "{}" || tag === "Object") ? json : `[object ${tag}]`;
  }
  function readableReplacer() {
    const above = [];
    return function(_key, value) {
      if (typeof value === "bigint") return `${value}n`;
      if (typeof value !== "object" || value === null) return value;
      while (above.length && above[above.length - 1] !== this) above.pop();
      if (above.indexOf(value) >= 0) return "[Circular]";
      above.push(value);
      if (value instanceof Error) return `[${heading(value)}]`;
      return ArrayBuffer.isView(value) ? `[${value.byteLength} bytes]` : value;
    };
  }

  // src/core/json.ts
  var DEEPEST_PLAIN = 99;
  function jsonOf(value) {
    try {
      return isPlain(value, 0) ? JSON.stringify(value) : JSON.stringify(value, refuseLosses());
    } catch (error) {
      throw new UnusableAnswer("json", `the answer has no JSON form: ${failureMessage(error)}`);
    }
  }
  function isPlain(value, depth) {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return isFinite(value);
      case "object":
        return value === null || depth < DEEPEST_PLAIN && hasPlainMembers(value, depth + 1);
      default:
        return false;
    }
  }
  function hasPlainMembers(value, depth) {
    if (value.toJSON) return false;
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth)) return false;
      return true;
    }
    const members2 = value;
    const prototype = Object.getPrototypeOf(value);
    const special = prototype && prototype !== Object.prototype || Symbol.iterator in members2 || Symbol.toStringTag in members2;
    if (special && !isRecord(members2)) return false;
    let key;
    for (key in members2)
      if (members2[key] !== void 0 && !isPlain(members2[key], depth)) return false;
    return !!key || isBlank(value);
  }
  function isBlank(value) {
    return !Reflect.ownKeys(value).length;
  }
  function isRecord(value) {
    return hasFields(value, classOf(value)) && !value.then;
  }
  function hasFields(value, tag) {
    return Object.keys(value).length > 0 && (tag === "Object" || Symbol.toStringTag in value && !(tag in globalThis));
  }
  function refuseLosses() {
    const holders = [];
    const steps = [];
    return function(key, value) {
      while (holders.length && holders[holders.length - 1] !== this) {
        holders.pop();
        steps.pop();
      }
      const inObject = holders.length > 0 && !Array.isArray(this);
      const step = !holders.length ? "result" : inObject ? memberPath(key) : `[${key}]`;
      const what = holders.includes(value) ? "a cycle" : loss(value, this[key]);
      if (what && !(inObject && value === void 0))
        throw new Error(`${steps.join("")}${step} is ${what}`);
      if (typeof value === "object" && value) {
        holders.push(value);
        steps.push(step);
      }
      return value;
    };
  }
  function memberPath(key) {
    return /^[a-z_$][\w$]*$/i.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  }
  function loss(value, before) {
    const tag = classOf(value);
    if (value === null) return classOf(before) === "Date" ? "an invalid date" : "";
    if (tag === "Number") return isFinite(value) ? "" : String(value);
    if (/^(String|Boolean|Array)$/.test(tag)) return "";
    if (value === void 0) return "undefined";
    if (typeof value !== "object") return `a ${typeof value === "bigint" ? tag : typeof value}`;
    if (typeof value.then === "function") return "a promise";
    if (isBare(value, tag) || hasFields(value, tag)) return "";
    const name = tag === "Object" && Object(value.constructor).name || tag;
    return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
  }
  function isBare(value, tag) {
    const prototype = Object.getPrototypeOf(value);
    const hasClass = tag !== "Object" || prototype && Object.getPrototypeOf(prototype);
    return !hasClass && isBlank(value);
  }

  // src/core/convert.ts
  var UnusableAnswer = class {
    constructor(kind, message) {
      this.kind = kind;
      this.message = message;
    }
  };
  var LONGEST_TEXT = 16384;
  function bytesOf2(value) {
    if (typeof value !== "object" || value === null) return null;
    if (!ArrayBuffer.isView(value))
      return classOf(value) === "ArrayBuffer" ? new Uint8Array(value) : null;
    const { buffer } = value;
    if (!buffer.byteLength) return new Uint8Array(buffer);
    if (value instanceof Uint8Array) return value;
    return new Uint8Array(buffer, value.byteOffset, value.byteLength);
  }
  function bytesToCome(value) {
    return /^(Blob|File)$/.test(classOf(value)) ? new Response(value).arrayBuffer() : null;
  }
  function textOf(value, style, json) {
    if (value === void 0) throw new UnusableAnswer("undefined", "f answered undefined");
    if (json || style === "default" && typeof value !== "string")
      return { tag: RESULT_JSON, text: jsonOf(value) };
    const text = String(value);
    const nothing = typeof value === "object" && /\[object (?!Object\]).*?\]/.exec(text);
    if (nothing) throw new UnusableAnswer("json", `the answer has no text: ${nothing[0]}`);
    return { tag: RESULT_TEXT, text };
  }
  function checkText(text) {
    if (/[\ud800-\udfff]/u.test(text))
      throw new UnusableAnswer("json", "the answer has half of a character");
  }
  function classOf(value) {
    return Object.prototype.toString.call(value).slice(8, -1);
  }
  function memberOf(holder, name) {
    return Object(holder) === holder ? holder[name] : void 0;
  }
  var aliases = ["", ""];
  function userStack(stack) {
    const lines = (aliases[0] ? stack.split(aliases[0]).join(aliases[1]) : stack).split("\n");
    let end = lines.length;
    while (end > 0 && !lines[end - 1].includes("function.js")) end--;
    return end > 0 ? lines.slice(0, end).join("\n") : stack;
  }
  function shorten(text) {
    return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  }

  // src/core/format.ts
  function format(args) {
    const first = args[0];
    if (typeof first !== "string" || args.length === 1 || first.indexOf("%") < 0)
      return args.map(inspect).join(" ");
    let next = 1;
    const text = first.replace(/%[sdifoOjc%]/g, (directive) => {
      if (directive === "%%") return "%";
      return next < args.length ? substituted(directive, args[next++]) : directive;
    });
    return [text, ...args.slice(next).map(inspect)].join(" ");
  }
  function substituted(directive, value) {
    switch (directive) {
      case "%c":
        return "";
      case "%d":
      case "%i":
      case "%f":
        return typeof value === "object" ? "NaN" : String(directive === "%i" ? Math.trunc(Number(value)) : Number(value));
      default:
        return inspect(value);
    }
  }

  // src/core/logs.ts
  var FLUSH_MS = 100;
  var KEPT_PER_SECOND = 1e3;
  var MESSAGE_LENGTH = 16384;
  var Logs = class {
    constructor(now, send, later) {
      this.now = now;
      this.send = send;
      this.later = later;
      this.entries = [];
      this.byText = /* @__PURE__ */ new Map();
      this.flushedAt = -Infinity;
      this.secondAt = -Infinity;
      this.keptThisSecond = 0;
      this.lost = 0;
    }
    /**
     * Adds a line; returns whether the line has a new entry, and was neither counted as a
     * repetition nor dropped.
     */
    add(level, text, id) {
      const now = this.now();
      const kept = !this.count(level, text) && this.keep(level, text, id, now);
      if (now - this.flushedAt >= FLUSH_MS) this.flush();
      return kept;
    }
    flush() {
      if (this.entries.length === 0) return;
      this.flushedAt = this.now();
      const entries = this.entries;
      this.entries = [];
      this.byText.clear();
      while (entries.length > 0) this.send(entries.splice(0, fitting(entries)));
    }
    count(level, text) {
      const same = this.byText.get(level + text);
      if (!same) return false;
      same.count = (same.count || 1) + 1;
      return true;
    }
    keep(level, text, id, now) {
      if (now - this.secondAt >= 1e3) this.nextSecond(now);
      if (this.keptThisSecond >= KEPT_PER_SECOND) {
        if (this.lost++ === 0) this.later(() => this.nextSecond(this.now()), 1e3);
        return false;
      }
      this.keptThisSecond++;
      const entry = { level, text: shorten(text) };
      if (id !== void 0) entry.id = id;
      this.byText.set(level + text, entry);
      this.push(entry);
      return true;
    }
    nextSecond(now) {
      this.secondAt = now;
      this.keptThisSecond = 0;
      if (this.lost === 0) return;
      const count = this.lost;
      this.lost = 0;
      this.push({ level: "warn", text: `${count} more lines were not kept`, count });
    }
    push(entry) {
      if (this.entries.length === 0) this.later(() => this.flush(), FLUSH_MS);
      this.entries.push(entry);
    }
  };
  function fitting(entries) {
    let length = 0;
    const end = entries.findIndex(
      ({ text }, i) => (length += text.length + 50) > MESSAGE_LENGTH && i > 0
    );
    return end < 0 ? entries.length : end;
  }

  // src/core/call-queue.ts
  var CallQueue = class {
    /** @param buffer the bundle's Buffer class, used for values of bytes */
    constructor(buffer) {
      this.buffer = buffer;
      this.frames = [];
      this.cursor = null;
    }
    push(frame) {
      if (frame.length > 1) this.frames.push(frame);
    }
    get empty() {
      return this.frames.length === 0 && (this.cursor === null || !this.cursor.more);
    }
    /** Moves to the next value; returns whether there is one. */
    next() {
      if (this.cursor !== null && this.cursor.next()) return true;
      const frame = this.frames.shift();
      this.cursor = frame ? new ValuesCursor(frame) : null;
      return this.cursor !== null && this.cursor.next();
    }
    get id() {
      return this.current.id;
    }
    get loan() {
      return this.current.loan;
    }
    get attempt() {
      return this.current.attempt;
    }
    get careful() {
      return this.current.careful;
    }
    value() {
      const value = this.current.value();
      if (this.buffer === void 0 || !(value instanceof Uint8Array)) return value;
      return this.buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    get current() {
      return this.cursor;
    }
  };

  // src/core/report.ts
  var LONGEST_REPORT = 1e4;
  function plainReport(report) {
    try {
      const text = JSON.stringify(report) || "null";
      if (text.length > LONGEST_REPORT) throw "it is too long";
      return JSON.parse(text);
    } catch (error) {
      return { error: `the report has no JSON form: ${failureMessage(error)}` };
    }
  }

  // src/core/timeout.ts
  function timeoutMessage(timeout) {
    return `no answer within ${timeout % 1e3 === 0 ? `${timeout / 1e3} s` : `${timeout} ms`}`;
  }

  // src/core.ts
  var STARTED_EVERY_MS = 5;
  var FLUSH_MS2 = 10;
  var LONGEST_TIMER_MS = 2 ** 31 - 1;
  var ENTRY_OVERHEAD = 32;
  var Core = class {
    constructor(host, options) {
      this.host = host;
      this.options = options;
      this.queue = new CallQueue();
      this.f = null;
      this.writer = new ResultsWriter(1 << 16);
      this.open = [];
      this.pumping = false;
      this.idle = true;
      /** Whether the queue's current value is announced but not begun. */
      this.announced = false;
      this.lastWasCareful = false;
      this.lastPostAt = -Infinity;
      this.firstUnflushedAt = 0;
      this.flushTimer = null;
      /** Whether the core had begun other calls before the latest call. */
      this.hadEarlierCalls = false;
      this.warned = false;
      this.clock = new CallClock(host.now, host.tick);
      this.logs = new Logs(
        () => host.now(),
        (entries) => this.post({ type: "log", entries }),
        (run, ms) => void host.setTimer(run, ms)
      );
    }
    /** Sets the function to call. Values come only after this call. */
    use(f, module) {
      this.f = f;
      this.queue = new CallQueue(module.Buffer);
    }
    values(frame) {
      this.queue.push(frame);
      this.pump();
    }
    /** Continues after congestion: the host has sent all earlier messages. */
    drained() {
      this.pump();
    }
    /**
     * Ends the open calls, because nobody needs their answers any more: their signals abort, and
     * the core ignores later answers.
     */
    forget() {
      for (const call of this.open.slice()) this.endEarly(call, "not needed");
    }
    /**
     * Handles an uncaught error. The open call fails if no other call can have thrown the error.
     * Otherwise the open calls are computed again, each one alone. The host replaces the core,
     * because the same code may throw again.
     */
    uncaught(error) {
      const { open } = this;
      if (open.length === 0) return this.logLate(error, this.lastId);
      const { dom } = this.options;
      this.pumping = !dom;
      const careful = !dom && this.hadEarlierCalls && !this.lastWasCareful;
      if (careful) this.logLate(error, void 0);
      else this.fail(open[0], error);
      this.flush();
      if (!dom) this.post({ type: "spoiled", careful });
    }
    report(report, id = this.lastId) {
      const plain = plainReport(report);
      this.post(
        id === void 0 ? { type: "report", report: plain } : { type: "report", id, report: plain }
      );
    }
    /**
     * Logs one line of the function's output, by default for the latest item. Returns whether the
     * line was kept.
     */
    log(level, args, id = this.lastId) {
      return this.logs.add(level, format(args), id);
    }
    logLate(error, id) {
      const { message, stack } = failure(error, "throw");
      this.logs.add("error", `late error: ${stack || message}`, id);
    }
    pump() {
      if (this.pumping) return;
      this.pumping = true;
      this.clock.restart();
      while (this.open.length < this.options.concurrency && this.step()) this.begin();
      this.pumping = false;
      this.flushOrSchedule();
    }
    /**
     * Moves to the next value if its call can begin now. An announced value waits until its
     * announcement has left the thread.
     */
    step() {
      if (!this.announced) {
        if (!this.queue.next()) return false;
        this.announce();
      }
      this.announced = this.host.awaitDrain();
      return !this.announced;
    }
    /** Announces the next call, if the host cannot know of the call otherwise. */
    announce() {
      const { careful, loan } = this.queue;
      const unknown = this.idle && (this.options.timeout !== null || !this.host.infersStart);
      const due = unknown || careful || this.lastWasCareful || this.clock.last - this.lastPostAt >= STARTED_EVERY_MS;
      this.idle = false;
      this.lastWasCareful = careful;
      if (!due) return;
      this.flush();
      this.post({ type: "started", id: loan });
    }
    begin() {
      this.hadEarlierCalls = this.lastId !== void 0;
      const call = new Call(this.queue.id, this.queue.loan, this.queue.attempt, this.clock.last);
      this.lastId = call.id;
      this.invoke(this.f, call);
      if (call.settled) return;
      call.open = true;
      this.open.push(call);
      this.setTimeout(call);
      this.clock.restart();
    }
    invoke(f, call) {
      try {
        const value = this.queue.value();
        if (f.style === "callback") this.invokeWithCallback(f, call, value);
        else this.invokeWithContext(f, call, value);
      } catch (error) {
        this.rejected(call, error, call.answered);
      }
    }
    invokeWithCallback(f, call, value) {
      const promise = f.call.call(
        f.owner,
        value,
        (error, result) => this.calledBack(call, error, result)
      );
      if (isThenable(promise))
        promise.then(void 0, (error) => this.rejected(call, error, call.answered));
    }
    invokeWithContext(f, call, value) {
      this.answer(call, f.call.call(f.owner, value, new Context(this, call)));
    }
    /**
     * Answers the call with `answer`. If `answer` is a promise or a Blob, the core first waits for
     * its value or bytes.
     */
    answer(call, answer) {
      try {
        const coming = isThenable(answer) ? answer : bytesToCome(answer);
        if (!coming) return this.succeed(call, answer);
        coming.then(
          (answer2) => this.answer(call, answer2),
          (error) => this.rejected(call, error)
        );
      } catch (error) {
        this.rejected(call, error);
      }
    }
    calledBack(call, error, result) {
      if (call.answered) {
        if (!call.forgotten) this.logs.add("warn", "the callback was called twice", call.id);
        return;
      }
      call.answered = true;
      if (error) this.fail(call, error, "error");
      else this.answer(call, result);
    }
    rejected(call, error, late = call.settled) {
      if (!late) this.fail(call, error);
      else if (!call.forgotten) this.logLate(error, call.id);
    }
    succeed(call, result) {
      if (call.settled) return;
      try {
        this.write(call, result);
      } catch (error) {
        return this.fail(call, error);
      }
      this.end(call);
    }
    write(call, result) {
      const bytes = bytesOf2(result);
      if (bytes) return this.writeBytes(call, bytes);
      if (typeof result === "string" && !this.options.json)
        return this.writeText(call, RESULT_TEXT, result);
      const { tag, text } = textOf(result, this.f.style, this.options.json);
      if (tag === RESULT_TEXT && typeof result === "object" && text.includes("[object Object]"))
        this.warnOfText(call);
      this.writeText(call, tag, text);
    }
    warnOfText({ id }) {
      if (!this.warned)
        this.logs.add(
          "warn",
          "its result is printed as [object Object]: answer JSON.stringify(result)",
          id
        );
      this.warned = true;
    }
    writeText(call, tag, text) {
      checkText(text);
      this.makeRoom(text.length);
      if (text.length <= PART) return this.writer.textResult(call.loan, tag, this.micros(call), text);
      this.host.results(textResultFrame(call.loan, tag, this.micros(call), text));
    }
    writeBytes(call, bytes) {
      this.makeRoom(bytes.length);
      if (bytes.length <= PART) return this.writer.bytesResult(call.loan, this.micros(call), bytes);
      this.host.results(bytesResultFrame(call.loan, this.micros(call), bytes));
    }
    fail(call, error, kind = "throw") {
      if (call.settled) return;
      const json = JSON.stringify(
        // `instanceof` would throw for some values.
        member(error, "constructor") === UnusableAnswer ? error : failure(error, kind)
      );
      this.makeRoom(json.length);
      this.writer.textResult(call.loan, RESULT_ERROR, this.micros(call), json);
      this.end(call);
    }
    /** Keeps a frame of several results within `PART` bytes. */
    makeRoom(length) {
      if (this.writer.length + length + ENTRY_OVERHEAD > PART) this.flush();
      if (this.writer.length === 0) this.firstUnflushedAt = this.clock.last;
    }
    micros(call) {
      if (!call.open) return this.clock.charge();
      return Math.max(0, Math.round((this.host.now() - call.startedAt) * 1e3));
    }
    end(call) {
      call.settled = call.answered = true;
      if (call.timer !== null) this.host.clearTimer(call.timer);
      if (call.forgotten && call.abortable) call.abortable.abort();
      if (!call.open) return;
      this.open.splice(this.open.indexOf(call), 1);
      this.pump();
    }
    setTimeout(call) {
      const { timeout } = this.options;
      if (timeout === null) return;
      const left = Math.max(0, timeout - (this.host.now() - call.startedAt));
      call.timer = left > LONGEST_TIMER_MS ? this.host.setTimer(() => this.setTimeout(call), LONGEST_TIMER_MS) : this.host.setTimer(() => this.timeOut(call, timeout), left);
    }
    timeOut(call, timeout) {
      if (call.settled) return;
      this.endEarly(call, timeoutMessage(timeout));
    }
    endEarly(call, why) {
      call.forgotten = true;
      this.fail(call, new UnusableAnswer("timeout", why));
    }
    /**
     * Sends results at once when no call can begin, or within `FLUSH_MS` when more values wait in
     * the queue.
     */
    flushOrSchedule() {
      if (this.announced) return;
      if (this.queue.empty) {
        this.idle = this.open.length === 0;
        this.flush();
      } else if (this.writer.length > 0 && this.host.now() - this.firstUnflushedAt >= FLUSH_MS2) {
        this.flush();
      } else if (this.writer.length > 0 && this.flushTimer === null) {
        this.flushTimer = this.host.setTimer(() => this.flushLater(), FLUSH_MS2);
      }
    }
    flushLater() {
      this.flushTimer = null;
      this.flush();
    }
    flush() {
      this.logs.flush();
      if (this.writer.length === 0) return;
      this.lastPostAt = this.clock.last;
      this.host.results(this.writer.take());
    }
    post(message) {
      this.lastPostAt = this.clock.last;
      this.host.post(message);
    }
  };
  function isThenable(value) {
    return value !== null && (typeof value === "object" || typeof value === "function") && typeof value.then === "function";
  }

  // src/core/function.ts
  var NAME = "/pando/1.0.0";
  function userFunction(module) {
    if (!module) throw new Error("the function was not loaded: its script did not run to its end");
    const exports = module.exports;
    const fallback = memberOf(exports, "default");
    return named(exports, NAME, "callback") || named(fallback, NAME, "callback") || named(exports, "default", "default") || itself(exports) || named(fallback, "default", "default") || missing();
  }
  function named(holder, name, style) {
    const call = memberOf(holder, name);
    if (typeof call !== "function") return null;
    return { call, owner: style === "callback" ? holder : void 0, style };
  }
  function itself(exports) {
    return typeof exports === "function" ? { call: exports, owner: void 0, style: "default" } : null;
  }
  function missing() {
    throw Object.assign(new Error("the module exports no function"), { stack: "" });
  }

  // src/core/runtime.ts
  var world = globalThis;
  var LEVELS = [
    ["log", "log"],
    ["info", "info"],
    ["warn", "warn"],
    ["error", "error"],
    ["debug", "debug"],
    ["trace", "debug"],
    ["dir", "log"],
    ["table", "log"]
  ];
  var Runtime = class {
    /**
     * @param load runs the bundle, which sets `__pandoModule`
     * @param echo whether console output also goes to the browser's own console, for developers
     */
    constructor(host, version, load, echo) {
      this.host = host;
      this.version = version;
      this.load = load;
      this.echo = echo;
      this.core = null;
    }
    async init(options) {
      const core = new Core(this.host, options);
      this.core = core;
      try {
        this.prepare(core);
        await this.load();
        const module = world.__pandoModule;
        core.use(userFunction(module), module);
      } catch (error) {
        return this.broken(error);
      }
      this.host.post({ type: "ready" });
    }
    values(frame) {
      if (this.core) this.core.values(frame);
    }
    drained() {
      if (this.core) this.core.drained();
    }
    forget() {
      if (this.core) this.core.forget();
    }
    uncaught(error) {
      if (this.core) this.core.uncaught(error);
      else this.broken(error);
    }
    broken(error) {
      const { message, stack } = failure(error, "throw");
      this.host.post({ type: "broken", message, ...stack ? { stack } : {} });
    }
    prepare(core) {
      world.global = globalThis;
      world.__pandoHost = { version: this.version, report: (info) => core.report(info) };
      for (const [method, level] of LEVELS) this.capture(core, method, level);
      world.console.assert = (condition, ...args) => {
        if (!condition) core.log("error", ["assertion failed:", ...args]);
      };
    }
    capture(core, method, level) {
      const original = world.console[method];
      world.console[method] = (...args) => {
        if (core.log(level, args) && this.echo && original) original.apply(world.console, args);
      };
    }
  };

  // src/embedded.ts
  var world2 = globalThis;
  var code = "";
  var assets;
  var unhandled = /* @__PURE__ */ new Map();
  var runtime = new Runtime(
    {
      now: native.now,
      tick: Date.now,
      post: (message) => native.message(JSON.stringify(message)),
      results: (frame) => native.results(binary(frame)),
      // The program has written each frame before it returns.
      awaitDrain: () => false,
      infersStart: false,
      setTimer: (run, ms) => timers.add(run, ms, false),
      clearTimer: (timer) => timers.remove(timer)
    },
    "0.1.0",
    () => {
      Object.assign(world2.__pandoHost, { device: "this machine", assets });
      native.run(code, "function.js");
    },
    false
  );
  var uncaught = (error) => runtime.uncaught(error);
  listener.uncaught = uncaught;
  world2.__pandoScript = {
    message: (text) => {
      const message = JSON.parse(text);
      if (message.type === "asset" && assets) assets.answered(message.id, message.error);
      if (message.type !== "init") return;
      code = message.code || "";
      if (message.assets) assets = new EmbeddedAssets(message.assets, native);
      void runtime.init(message.options);
    },
    values: (frame) => runtime.values(frame),
    untilTimer: () => timers.untilNext(),
    runTimers: () => timers.runNext(),
    uncaught,
    rejection: (promise, reason, isHandled) => {
      if (isHandled) unhandled.delete(promise);
      else unhandled.set(promise, reason);
    },
    idle: () => {
      const reasons = [...unhandled.values()];
      unhandled.clear();
      reasons.forEach(uncaught);
    }
  };
  native.message(JSON.stringify({ type: "booted" }));
})();
