/** TextEncoder, TextDecoder, atob and btoa, for UTF-8 and Latin-1. */

import { binary } from './native.ts';
import type { Native } from './native.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Source = ArrayBuffer | ArrayBufferView;

const REPLACEMENT = 0xfffd;
const LABELS = /^\s*(utf-?8|unicode-1-1-utf-8|x-unicode20utf8)\s*$/i;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function encodingGlobals(native: Native): Record<string, unknown> {
  const utf8 = (text: string): Bytes => native.utf8(wellFormed(text));

  class TextEncoder {
    readonly encoding = 'utf-8';

    encode(text: unknown = ''): Bytes {
      return utf8(String(text));
    }

    encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const bytes = character.length === 1 && character < '\x80' ? null : utf8(character);
        const length = bytes ? bytes.length : 1;
        if (written + length > into.length) break;
        if (bytes) into.set(bytes, written);
        else into[written] = character.charCodeAt(0);
        written += length;
        read += character.length;
      }
      return { read, written };
    }
  }

  return { TextEncoder, TextDecoder, atob, btoa };
}

/** The text with U+FFFD in place of lone surrogates. */
function wellFormed(text: string): string {
  return text.replace(
    /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
    '\uFFFD',
  );
}

class TextDecoder {
  readonly encoding = 'utf-8';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** The bytes of an unfinished character, with `stream`. */
  private rest: number[] = [];
  private hasBegun = false;

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!LABELS.test(String(label)))
      throw new RangeError(`the encoding '${label}' is not known here: only utf-8`);
    this.fatal = !!options.fatal;
    this.ignoreBOM = !!options.ignoreBOM;
  }

  decode(source?: Source, options: { stream?: boolean } = {}): string {
    const given = source === undefined ? new Uint8Array(0) : bytesOf(source);
    const bytes = this.rest.length ? Uint8Array.from([...this.rest, ...given]) : given;
    this.rest = [];
    let text = this.text(bytes, !!options.stream);
    if (!this.hasBegun && text.length > 0) {
      if (!this.ignoreBOM && text[0] === '\uFEFF') text = text.slice(1);
      this.hasBegun = true;
    }
    if (!options.stream) this.hasBegun = false;
    return text;
  }

  private text(bytes: Uint8Array, isPart: boolean): string {
    if (bytes.every((byte) => byte < 128)) return binary(bytes);
    const units: number[] = [];
    let text = '';
    for (let at = 0; at < bytes.length;) {
      const [code, length] = character(bytes, at);
      if (length === 0) {
        if (isPart) {
          this.rest = Array.from(bytes.subarray(at));
          break;
        }
        at = bytes.length;
      }
      if (code < 0 && this.fatal) {
        this.hasBegun = false;
        throw new TypeError('the bytes are not UTF-8');
      }
      const point = code < 0 ? REPLACEMENT : code;
      if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
      else units.push(point);
      at += length;
      if (units.length > 4096) text += String.fromCharCode.apply(null, units.splice(0));
    }
    return text + String.fromCharCode.apply(null, units);
  }
}

/**
 * The character at a place and its length in bytes. The character is -1 if the bytes are not
 * UTF-8; then the length is that of the wrong bytes, or 0 if the bytes end too early.
 */
function character(bytes: Uint8Array, at: number): [number, number] {
  const first = bytes[at];
  if (first < 0x80) return [first, 1];
  if (first < 0xc2 || first > 0xf4) return [-1, 1];
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let code = first & (0x7f >> length);
  let least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  let most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i++) {
    if (at + i >= bytes.length) return [-1, 0];
    const next = bytes[at + i];
    if (next < least || next > most) return [-1, i];
    [least, most] = [0x80, 0xbf];
    code = (code << 6) | (next & 0x3f);
  }
  return [code, length];
}

export function bytesOf(source: Source): Uint8Array {
  if (ArrayBuffer.isView(source))
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return new Uint8Array(source);
}

function btoa(data: unknown): string {
  const text = String(data);
  let out = '';
  for (let at = 0; at < text.length; at += 3) {
    const codes = [0, 1, 2].map((i) => text.charCodeAt(at + i));
    if (codes.some((code) => code > 255)) throw new Error('btoa takes characters up to U+00FF');
    const [a, b, c] = codes.map((code) => code || 0);
    out += ALPHABET[a >> 2] + ALPHABET[((a & 3) << 4) | (b >> 4)];
    out += at + 1 < text.length ? ALPHABET[((b & 15) << 2) | (c >> 6)] : '=';
    out += at + 2 < text.length ? ALPHABET[c & 63] : '=';
  }
  return out;
}

function atob(data: unknown): string {
  let text = String(data).replace(/[\t\n\f\r ]/g, '');
  if (text.length % 4 === 0) text = text.replace(/==?$/, '');
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text))
    throw new Error('the text is not base64');
  let out = '';
  let bits = 0;
  let value = 0;
  for (const letter of text) {
    value = ((value << 6) | ALPHABET.indexOf(letter)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += String.fromCharCode((value >> bits) & 255);
  }
  return out;
}
