import { background, lookOf } from '../colours.ts';

/** A small square in the look of a device. */
export function Swatch({ id, dark }: { id: string; dark: boolean }) {
  return (
    <span class="swatch" aria-hidden="true" style={{ background: background(lookOf(id, dark)) }} />
  );
}
