/** The order of the rows in the table of devices. */

import { columnOf } from './columns.ts';
import type { DeviceFigures } from './data.ts';
import { compareIds } from './series.ts';

export interface Sorting {
  /** The key of a column. */
  column: string;
  descending: boolean;
}

export const FIRST_SORTING: Sorting = { column: 'items', descending: true };

/** The order after a click on the title of a column: numbers begin with the largest one. */
export function sortedBy(column: string, before: Sorting): Sorting {
  if (column === before.column) return { column, descending: !before.descending };
  return { column, descending: columnOf(column).isNumber };
}

/** A sorted copy. Devices without a value come last; equal devices are in the order of their ids. */
export function sorted(devices: DeviceFigures[], { column, descending }: Sorting): DeviceFigures[] {
  const order = columnOf(column).order;
  return devices
    .map((device) => ({ device, value: order(device) }))
    .sort((a, b) => {
      if (a.value === null || b.value === null) {
        return Number(a.value === null) - Number(b.value === null) || byId(a.device, b.device);
      }
      const ascending = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
      return (descending ? -ascending : ascending) || byId(a.device, b.device);
    })
    .map(({ device }) => device);
}

function byId(a: DeviceFigures, b: DeviceFigures): number {
  return compareIds(a.id, b.id);
}
