"use strict";
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));

// src/node.ts
var import_node_process = __toESM(require("node:process"), 1);
var import_node_worker_threads = require("node:worker_threads");

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
function readable(read2, otherwise) {
  try {
    return read2();
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
  const members = value;
  const prototype = Object.getPrototypeOf(value);
  const special = prototype && prototype !== Object.prototype || Symbol.iterator in members || Symbol.toStringTag in members;
  if (special && !isRecord(members)) return false;
  let key;
  for (key in members)
    if (members[key] !== void 0 && !isPlain(members[key], depth)) return false;
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
function bytesOf(value) {
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
function renameInStacks(...given) {
  aliases = given;
}
function userStack(stack) {
  const lines = (aliases[0] ? stack.split(aliases[0]).join(aliases[1]) : stack).split("\n");
  let end = lines.length;
  while (end > 0 && !lines[end - 1].includes("function.js")) end--;
  return end > 0 ? lines.slice(0, end).join("\n") : stack;
}
function shorten(text) {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

// src/core/clock.ts
var LONGEST_STRIDE = 32;
var CallClock = class {
  /**
   * @param read the exact clock, in milliseconds
   * @param tick the coarse clock, in whole milliseconds; only two readings of `tick` are compared
   */
  constructor(read2, tick) {
    this.read = read2;
    this.tick = tick;
    this.stride = 1;
    this.calls = 0;
    this.mean = 0;
    this.last = read2();
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
  use(f, module2) {
    this.f = f;
    this.queue = new CallQueue(module2.Buffer);
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
    const bytes = bytesOf(result);
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
function userFunction(module2) {
  if (!module2) throw new Error("the function was not loaded: its script did not run to its end");
  const exports2 = module2.exports;
  const fallback = memberOf(exports2, "default");
  return named(exports2, NAME, "callback") || named(fallback, NAME, "callback") || named(exports2, "default", "default") || itself(exports2) || named(fallback, "default", "default") || missing();
}
function named(holder, name, style) {
  const call = memberOf(holder, name);
  if (typeof call !== "function") return null;
  return { call, owner: style === "callback" ? holder : void 0, style };
}
function itself(exports2) {
  return typeof exports2 === "function" ? { call: exports2, owner: void 0, style: "default" } : null;
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
      const module2 = world.__pandoModule;
      core.use(userFunction(module2), module2);
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

// src/node/assets.ts
var import_node_buffer = require("node:buffer");
var import_node_fs = require("node:fs");
var import_node_path = require("node:path");
var import_node_util = require("node:util");
var read = (0, import_node_util.promisify)(import_node_fs.readFile);
var KINDS = {
  js: "text/javascript",
  json: "application/json",
  mjs: "text/javascript",
  wasm: "application/wasm"
};
var LOOK_MS = 10;
var HEARING_MS = 5e3;
var FolderOfAssets = class {
  constructor(folder, ask) {
    this.folder = folder;
    this.ask = ask;
    /** The bytes of each asset that was asked for, as promises. */
    this.bytes = /* @__PURE__ */ new Map();
    this.urls = /* @__PURE__ */ new Map();
    /** What waits for answers of the host, by the ids of the requests. */
    this.waiting = /* @__PURE__ */ new Map();
    this.asset = (name) => {
      let bytes = this.bytes.get(name);
      if (!bytes) {
        bytes = this.read(name);
        this.bytes.set(name, bytes);
        bytes.catch(() => this.bytes.delete(name));
      }
      return bytes;
    };
    this.assetUrl = (name) => {
      let url = this.urls.get(name);
      if (!url) {
        const kind = KINDS[name.slice(name.lastIndexOf(".") + 1)] || "application/octet-stream";
        this.fetchNow(name);
        const content = this.checked(name, () => (0, import_node_fs.readFileSync)(this.pathOf(name)));
        url = URL.createObjectURL(new import_node_buffer.Blob([content], { type: kind }));
        this.urls.set(name, url);
      }
      return url;
    };
  }
  /** The host has answered a request. */
  answered(id, error) {
    const settle = this.waiting.get(id);
    this.waiting.delete(id);
    if (settle) settle(error);
  }
  async read(name) {
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
  fetched(name) {
    if (!this.folder.answers) return void 0;
    this.checked(name, () => checkName(name));
    return new Promise((resolve, reject) => {
      const id = requestId();
      this.waiting.set(id, (error) => error ? reject(new Error(error)) : resolve());
      this.ask({ type: "asset", id, name });
    });
  }
  /** As `fetched`, while this thread waits. */
  fetchNow(name) {
    const { answers, root } = this.folder;
    if (!answers) return;
    this.checked(name, () => checkName(name));
    if ((0, import_node_fs.existsSync)((0, import_node_path.join)(root, name))) return;
    const id = requestId();
    this.ask({ type: "asset", id, name });
    const answer = (0, import_node_path.join)(answers, id);
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const start = performance.now();
    let isHeard = false;
    while (!(0, import_node_fs.existsSync)(answer)) {
      isHeard ||= (0, import_node_fs.existsSync)(`${answer}.heard`);
      if (!isHeard && performance.now() - start > HEARING_MS)
        throw new Error(
          `the asset '${name}' is not here yet: await context.asset('${name}') first`
        );
      Atomics.wait(clock, 0, 0, LOOK_MS);
    }
    const error = (0, import_node_fs.readFileSync)(answer, "utf8");
    if (error) throw new Error(error);
  }
  /** The file of an asset, which lies in the folder even if links lead to it. */
  pathOf(name) {
    checkName(name);
    const path = (0, import_node_fs.realpathSync)((0, import_node_path.join)(this.folder.root, name));
    const below = (0, import_node_path.relative)(this.folder.root, path);
    if ((0, import_node_path.isAbsolute)(below) || below.split(/[\\/]/)[0] === "..")
      throw new Error("a link leads out of the folder");
    if (!(0, import_node_fs.statSync)(path).isFile()) throw new Error("this is no file");
    return path;
  }
  checked(name, find) {
    try {
      return find();
    } catch (error) {
      throw this.missing(name, error);
    }
  }
  missing(name, error) {
    const { code: code2, message } = error;
    const why = code2 === "ENOENT" ? "there is no such file" : code2 === "EISDIR" ? "this is no file" : message;
    return new Error(`no asset '${name}' in the folder ${this.folder.given} (--assets): ${why}`);
  }
};
function checkName(name) {
  const parts = String(name).split(/[\\/]/);
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    throw new Error("give a path below the folder, without `..`");
}
function requestId() {
  return crypto.randomUUID();
}

// src/node/globals.ts
var import_node_vm = require("node:vm");
var OF_NODE_ONLY = [
  "process",
  "Deno",
  "Bun",
  "Buffer",
  "setImmediate",
  "clearImmediate",
  "require",
  "module",
  "exports"
];
function imitateTab() {
  const world3 = globalThis;
  world3.self = globalThis;
  world3.importScripts = () => {
    throw new Error(
      "importScripts() is not available here: what the function needs is in its bundle"
    );
  };
  world3.location = new URL("http://localhost/function.js");
  if (!world3.navigator)
    world3.navigator = { userAgent: "Pando", language: "en", hardwareConcurrency: 1, onLine: true };
}
function runBundle(code2) {
  (0, import_node_vm.compileFunction)(code2, OF_NODE_ONLY, { filename: "function.js" }).call(globalThis);
}

// src/node/socket.ts
var import_node_buffer2 = require("node:buffer");
var import_node_net = require("node:net");
var JSON_KIND = 0;
var LONGEST = 2 ** 31 - 1;
var HostSocket = class {
  constructor(events) {
    this.events = events;
    this.socket = hostSocket();
    this.decoder = new FrameDecoder();
    /** Whether the caller of `awaitDrain` waits for `drained`. */
    this.drainAwaited = false;
    this.socket.on("data", (chunk) => this.receive(chunk));
    this.socket.on("end", () => events.end());
    this.socket.on("error", () => events.end());
  }
  /** Returns whether written data is still in this process, and if so, calls `drained` later. */
  awaitDrain() {
    const pending = this.socket.writableLength > 0;
    if (pending) this.drainAwaited = true;
    return pending;
  }
  json(message) {
    const body = import_node_buffer2.Buffer.from(JSON.stringify(message));
    const frame = import_node_buffer2.Buffer.allocUnsafe(5 + body.length);
    frame.writeUInt32LE(1 + body.length, 0);
    frame[4] = JSON_KIND;
    body.copy(frame, 5);
    this.write(frame);
  }
  /** Sends a frame. Throws if the frame is too long, and then sends nothing. */
  binary(payload) {
    if (payload.length > LONGEST)
      throw new RangeError(`its result has more than ${LONGEST} bytes: answer parts of it`);
    const head = import_node_buffer2.Buffer.allocUnsafe(4);
    head.writeUInt32LE(payload.length, 0);
    this.socket.cork();
    this.write(head);
    this.write(payload);
    this.socket.uncork();
  }
  write(data) {
    this.socket.write(data, () => {
      if (!this.drainAwaited || this.socket.writableLength > 0) return;
      this.drainAwaited = false;
      this.events.drained();
    });
  }
  receive(chunk) {
    this.decoder.add(chunk);
    for (let frame = this.decoder.next(); frame; frame = this.decoder.next()) this.deliver(frame);
  }
  deliver(frame) {
    if (frame[0] === JSON_KIND) this.events.json(JSON.parse(frame.toString("utf8", 1)));
    else this.events.binary(new Uint8Array(frame.buffer, frame.byteOffset, frame.length));
  }
};
function hostSocket() {
  if (!("Bun" in globalThis)) return new import_node_net.Socket({ fd: 0, readable: true, writable: true });
  const socket2 = new import_node_net.Socket();
  socket2.connect({ fd: 0 });
  return socket2;
}
var FrameDecoder = class {
  constructor() {
    this.chunks = [];
    this.length = 0;
  }
  add(chunk) {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }
  next() {
    if (this.length < 4) return null;
    const size = this.first(4).readUInt32LE(0);
    if (this.length < 4 + size) return null;
    const all = this.first(4 + size);
    const rest = all.subarray(4 + size);
    this.chunks = rest.length > 0 ? [rest, ...this.chunks.slice(1)] : this.chunks.slice(1);
    this.length -= 4 + size;
    return all.subarray(4, 4 + size);
  }
  /** Returns the first chunk, joined with later chunks if it has fewer than `count` bytes. */
  first(count) {
    if (this.chunks[0].length < count) this.chunks = [import_node_buffer2.Buffer.concat(this.chunks, this.length)];
    return this.chunks[0];
  }
};

// src/node.ts
var world2 = globalThis;
var code = "";
var assets;
var socket = new HostSocket({
  json: (message) => hear(message),
  binary: (frame) => runtime.values(frame),
  drained: () => runtime.drained(),
  end: () => import_node_process.default.exit(0)
});
var runtime = new Runtime(
  {
    now: () => performance.now(),
    tick: Date.now,
    post: (message) => socket.json(message),
    results: (frame) => socket.binary(frame),
    awaitDrain: () => socket.awaitDrain(),
    infersStart: false,
    setTimer: setTimeout,
    clearTimer: (timer) => clearTimeout(timer)
  },
  "0.1.0",
  () => {
    Object.assign(world2.__pandoHost, { device: "this machine", assets });
    runBundle(code);
  },
  false
);
function hear(message) {
  if (message.type === "init") begin(message);
  else if (message.type === "asset" && assets) assets.answered(message.id, message.error);
}
function begin(message) {
  code = message.code || "";
  if (message.assets)
    assets = new FolderOfAssets(message.assets, (request) => socket.json(request));
  imitateTab();
  if ("Bun" in globalThis && !/\n./.test(code)) renameInStacks("function.js:2:", "function.js:1:");
  if (message.parent) watch(import_node_process.default.ppid, message.parent);
  void runtime.init(message.options);
}
import_node_process.default.on("uncaughtException", (error) => runtime.uncaught(error));
import_node_process.default.on("unhandledRejection", (error) => runtime.uncaught(error));
socket.json({ type: "booted" });
function watch(parent, master) {
  const watch2 = `
    const { parent, master } = require('worker_threads').workerData;
    const isGone = () => {
      if (process.ppid !== parent) return true;
      try { process.kill(master, 0); } catch (error) { return error.code === 'ESRCH'; }
    };
    setInterval(() => { if (isGone()) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  const options = { eval: true, workerData: { parent, master }, stdin: false, env: {} };
  try {
    new import_node_worker_threads.Worker(watch2, options).unref();
  } catch (error) {
    import_node_process.default.stderr.write(`A second thread cannot start: ${error.message}
`);
    import_node_process.default.stderr.write("Under the permission model of Node, --allow-worker permits threads\n");
    import_node_process.default.exit(1);
  }
}
