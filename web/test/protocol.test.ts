import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseToVolunteer } from '../src/messages.ts';
import {
  Assembler,
  KIND_PART,
  Malformed,
  RESULT_ERROR,
  ResultsCursor,
  ResultsWriter,
  ValuesCursor,
  ValuesWriter,
  bytesResultFrame,
  part,
  partCount,
} from '../src/frames.ts';
import { Reader, Writer } from '../src/bytes.ts';
import type { Form, Loan } from '../src/frames.ts';

interface Entry {
  id: number;
  /** The number of the loan, unless 0. */
  loan?: number;
  form: Form;
  careful: boolean;
  attempt: number;
  tag: string;
  micros: number;
  text?: string;
  bytes?: string;
}
type Decoded =
  | { kind: 'values'; entries: Entry[] }
  | { kind: 'results'; entries: Entry[] }
  | { kind: 'part'; total: number; bytes: string };

const golden = JSON.parse(readFileSync('../fixtures/protocol.json', 'utf8')) as {
  frames: { name: string; hex: string; canonical?: boolean; decoded: Decoded }[];
  malformed: { name: string; hex: string }[];
  assembled: { name: string; frames: string[]; whole: string; between?: string[] }[];
  refusedParts: { name: string; frames: string[] }[];
  messages: { name: string; from: string; message: { type: string } }[];
  refusedMessages: { name: string; from: string; text: string }[];
};

const FORMS = ['text', 'bytes', 'json'];
const TAGS = ['text', 'bytes', 'json', 'error'];
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

function decode(frame: Uint8Array): Decoded {
  if (frame[0] === KIND_PART) return decodePart(frame);
  return new Assembler().add(frame)![0] === 1 ? decodeValues(frame) : decodeResults(frame);
}

function decodePart(frame: Uint8Array): Decoded {
  new Assembler().add(frame);
  const reader = new Reader(frame, 1);
  const total = reader.varint();
  return { kind: 'part', total, bytes: hex(frame.subarray(reader.at)) };
}

function decodeValues(frame: Uint8Array): Decoded {
  const cursor = new ValuesCursor(frame);
  const entries = [];
  while (cursor.next()) {
    const { careful, attempt, start, end } = cursor;
    const form = FORMS[cursor.tag & 3];
    const carried =
      form === 'bytes'
        ? { bytes: hex(cursor.value() as Uint8Array) }
        : { text: textOf(frame, start, end) };
    entries.push({ ...loanOf(cursor.loan), form, careful, attempt, ...carried });
  }
  return { kind: 'values', entries: entries as Entry[] };
}

/** A loan as in the fixtures, from its name. */
function loanOf(name: Loan): { id: number; loan?: number } {
  const [id, loan] = String(name).split(':').map(Number);
  return loan === undefined ? { id } : { id, loan };
}

const nameOf = ({ id, loan }: { id: number; loan?: number }): Loan =>
  loan === undefined ? id : `${id}:${loan}`;

function textOf(frame: Uint8Array, start: number, end: number): string {
  const copy = new ValuesWriter();
  copy.bytesValue(0, frame.subarray(start, end));
  const cursor = new ValuesCursor(copy.take());
  cursor.next();
  cursor.tag = 0;
  return cursor.value() as string;
}

function decodeResults(frame: Uint8Array): Decoded {
  const cursor = new ResultsCursor(frame);
  const entries = [];
  while (cursor.next()) {
    const { micros } = cursor;
    const tag = TAGS[cursor.tag];
    entries.push({
      ...loanOf(cursor.loan),
      tag,
      micros,
      ...(tag === 'bytes'
        ? { bytes: hex(frame.subarray(cursor.start, cursor.end)) }
        : { text: cursor.text() }),
    });
  }
  return { kind: 'results', entries: entries as Entry[] };
}

function encode(decoded: Decoded): Uint8Array {
  if (decoded.kind === 'values') return encodeValues(decoded.entries);
  if (decoded.kind === 'results') return encodeResults(decoded.entries);
  const writer = new Writer();
  writer.byte(KIND_PART);
  writer.varint(decoded.total);
  writer.raw(bytes(decoded.bytes));
  return writer.take();
}

function encodeValues(entries: Entry[]): Uint8Array {
  const writer = new ValuesWriter();
  for (const { form, careful, attempt, text, bytes: data, ...loan } of entries) {
    if (data === undefined) writer.textValue(nameOf(loan), text!, form, careful, attempt);
    else writer.bytesValue(nameOf(loan), bytes(data), careful, attempt);
  }
  return entries.length ? writer.take() : Uint8Array.of(1);
}

function encodeResults(entries: Entry[]): Uint8Array {
  const writer = new ResultsWriter();
  for (const { tag, micros, text, bytes: data, ...loan } of entries) {
    if (data !== undefined) writer.bytesResult(nameOf(loan), micros, bytes(data));
    else writer.textResult(nameOf(loan), TAGS.indexOf(tag), micros, text!);
  }
  return entries.length ? writer.take() : Uint8Array.of(2);
}

for (const frame of golden.frames) {
  test(`golden frame: ${frame.name}`, () => {
    assert.deepEqual(decode(bytes(frame.hex)), frame.decoded);
    if (frame.canonical !== false) assert.equal(hex(encode(frame.decoded)), frame.hex);
  });
}

for (const frame of golden.malformed) {
  test(`refused: ${frame.name}`, () => {
    assert.throws(() => decode(bytes(frame.hex)), Malformed);
  });
}

for (const { name, frames, whole, between = [] } of golden.assembled) {
  test(`assembled: ${name}`, () => {
    const assembler = new Assembler();
    const complete = frames
      .map((frame) => assembler.add(bytes(frame)))
      .filter((frame) => frame !== null);
    assert.deepEqual(complete.map(hex), [...between, whole]);
  });
}

for (const { name, frames } of golden.refusedParts) {
  test(`refused: ${name}`, () => {
    const assembler = new Assembler();
    assert.throws(() => frames.forEach((frame) => assembler.add(bytes(frame))), Malformed);
  });
}

for (const { name, from, message } of golden.messages.filter(({ from }) => from === 'master')) {
  test(`message of the ${from}: ${name}`, () => {
    assert.deepEqual(parseToVolunteer(JSON.stringify(message)), message);
  });
}

for (const { name, text } of golden.refusedMessages.filter(({ from }) => from !== 'volunteer')) {
  test(`refused message: ${name}`, () => {
    assert.throws(() => parseToVolunteer(text), Malformed);
  });
}

test('a frame of every length around the limit comes out of its parts as it was', () => {
  for (const length of [65_537, 131_071, 131_072, 131_073, 1_000_000]) {
    const frame = new Uint8Array(length).map((_, i) => (i === 0 ? 2 : i % 251));
    const assembler = new Assembler();
    const out = Array.from({ length: partCount(length) }, (_, i) => assembler.add(part(frame, i)));
    assert.deepEqual(out.slice(0, -1).filter(Boolean), []);
    assert.deepEqual(out[out.length - 1], frame);
  }
  assert.equal(partCount(65_536), 0);
});

test('a large result of bytes is the frame that a writer makes', () => {
  const data = new Uint8Array(100_000).fill(7);
  const writer = new ResultsWriter();
  writer.bytesResult(300, 12, data);
  assert.deepEqual(bytesResultFrame(300, 12, data), writer.take());
});

test('texts of every length and width come back as they were', () => {
  const writer = new ResultsWriter(16);
  const texts: string[] = [];
  for (const letter of ['a', 'é', '東', '🌍'])
    for (let n = 0; n < 300; n += 7) texts.push('a'.repeat(n % 5) + letter.repeat(n));
  texts.forEach((text, id) => writer.textResult(id, 0, id, text));
  const cursor = new ResultsCursor(writer.take());
  for (const text of texts) assert.ok(cursor.next() && cursor.text() === text, text);
});

test('half of a pair of surrogates is replaced, as everywhere in UTF-8', () => {
  const writer = new ResultsWriter();
  writer.textResult(0, RESULT_ERROR, 0, 'a\ud800');
  const cursor = new ResultsCursor(writer.take());
  cursor.next();
  assert.equal(cursor.text(), 'a\ufffd');
});
