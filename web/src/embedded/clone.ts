/** structuredClone for plain data, with cycles. It copies and detaches buffers to transfer. */

const PRIMITIVES = [Boolean, Number, String, BigInt] as const;

interface Transferable {
  transfer(): unknown;
}

export function structuredClone(
  value: unknown,
  { transfer = [] }: { transfer?: Transferable[] } = {},
): unknown {
  const copy = cloned(value, new Map());
  for (const buffer of transfer) buffer.transfer();
  return copy;
}

function cloned(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw uncloneable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = <T>(copy: T): T => {
    seen.set(value, copy);
    return copy;
  };
  if (Array.isArray(value)) return members(value, keep(new Array(value.length)), seen);
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) return keep(viewOf(value, seen));
  if (value instanceof Map) {
    const copy = keep(new Map());
    for (const [key, member] of value) copy.set(cloned(key, seen), cloned(member, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    for (const member of value) copy.add(cloned(member, seen));
    return copy;
  }
  if (value instanceof Error) return keep(errorOf(value, seen));
  if (PRIMITIVES.some((kind) => value instanceof kind)) return keep(Object(value.valueOf()));
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet)
    throw uncloneable(value);
  return members(value, keep({}), seen);
}

function members(from: object, into: object, seen: Map<object, unknown>): object {
  for (const [name, member] of Object.entries(from))
    (into as Record<string, unknown>)[name] = cloned(member, seen);
  return into;
}

function viewOf(view: ArrayBufferView, seen: Map<object, unknown>): ArrayBufferView {
  const buffer = cloned(view.buffer, seen) as ArrayBuffer;
  type Kind = new (buffer: ArrayBuffer, offset: number, length?: number) => ArrayBufferView;
  const length = (view as Partial<Uint8Array>).length;
  return new (view.constructor as Kind)(
    buffer,
    view.byteOffset,
    length === undefined ? view.byteLength : length,
  );
}

function errorOf(error: Error, seen: Map<object, unknown>): Error {
  const copy = new Error(error.message);
  copy.name = error.name;
  copy.stack = error.stack;
  if ('cause' in error) (copy as { cause?: unknown }).cause = cloned(error.cause, seen);
  return copy;
}

function uncloneable(value: unknown): Error {
  const error = new Error(`${String(value)} could not be cloned`);
  error.name = 'DataCloneError';
  return error;
}
