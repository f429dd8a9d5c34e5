import { useRef, useState } from 'preact/hooks';
import { columnsFor, type Column } from '../columns.ts';
import type { DeviceFigures, Snapshot } from '../data.ts';
import { count, whole } from '../format.ts';
import { FIRST_SORTING, sorted, sortedBy, type Sorting } from '../sorting.ts';
import type { Actions } from './app.tsx';
import { DeviceRow } from './device-row.tsx';

/** The number of rows that are shown until a person asks for all. */
const FIRST_ROWS = 100;

interface Shown {
  snapshot: Snapshot;
  actions: Actions;
  dark: boolean;
}

/** All devices with their figures, and with the actions of the run's owner. */
export function DeviceTable({ snapshot, actions, dark }: Shown) {
  const [sorting, setSorting] = useState(FIRST_SORTING);
  const [showsAll, setShowsAll] = useState(false);
  const [showsGone, setShowsGone] = useState(false);
  const order = useCalmOrder();
  const { devices, now, state } = snapshot;
  const columns = columnsFor(devices);
  // At the end of a run all devices leave, and their figures are the summary.
  const isHere = (device: DeviceFigures) => device.connected || state === 'finished';
  const gone = devices.filter((device) => !isHere(device));
  const here = devices.filter(isHere);
  const shown = (rows: DeviceFigures[]) => (showsAll ? rows : rows.slice(0, FIRST_ROWS));
  const rowsOf = (rows: DeviceFigures[]) =>
    shown(rows).map((device) => (
      <DeviceRow
        key={device.id}
        {...{ device, columns, now, actions, dark }}
        canAct={device.connected && state !== 'finished'}
      />
    ));
  const most = Math.max(here.length, showsGone ? gone.length : 0);
  return (
    <section class="card devices" aria-labelledby="devices">
      <h2 id="devices">
        Devices <span class="soft">{whole(here.length)}</span>
      </h2>
      {devices.length === 0 ? (
        <p class="soft">No device has joined.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Figures of the devices">
          <table role="table">
            <Head {...{ columns, sorting, setSorting }} />
            <tbody role="rowgroup" ref={order.body}>
              {rowsOf(order.of(here, sorting))}
            </tbody>
            {gone.length > 0 && (
              <tbody role="rowgroup" class="left">
                <tr role="row" class="fold">
                  <td role="cell" colSpan={columns.length + 1}>
                    <button
                      class="link"
                      aria-expanded={showsGone}
                      onClick={() => setShowsGone(!showsGone)}
                    >
                      {gone.length === 1
                        ? '1 device has left'
                        : `${whole(gone.length)} devices have left`}
                    </button>
                  </td>
                </tr>
                {showsGone && rowsOf(sorted(gone, sorting))}
              </tbody>
            )}
          </table>
        </div>
      )}
      {most > FIRST_ROWS && (
        <p class="buttons">
          <button class="quiet" onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? `Show the first ${FIRST_ROWS}` : `Show all ${count(most, 'device')}`}
          </button>
        </p>
      )}
    </section>
  );
}

function Head(props: {
  columns: Column[];
  sorting: Sorting;
  setSorting: (sorting: Sorting) => void;
}) {
  const { columns, sorting, setSorting } = props;
  return (
    <thead role="rowgroup">
      <tr role="row">
        {columns.map(({ key, title, hint, isNumber }) => (
          <th
            key={key}
            role="columnheader"
            scope="col"
            class={isNumber ? `number ${key}` : key}
            aria-sort={ariaSort(key, sorting)}
          >
            <button title={hint} onClick={() => setSorting(sortedBy(key, sorting))}>
              {title}
            </button>
          </th>
        ))}
        <th role="columnheader" scope="col" class="actions">
          <span class="unseen">Actions</span>
        </th>
      </tr>
    </thead>
  );
}

function ariaSort(key: string, { column, descending }: Sorting) {
  if (key !== column) return 'none';
  return descending ? 'descending' : 'ascending';
}

/**
 * Rows do not move while a person points at the table or has the focus in it: nobody should press
 * a button of the wrong device.
 */
function useCalmOrder() {
  const body = useRef<HTMLTableSectionElement>(null);
  const before = useRef({ sorting: FIRST_SORTING, ids: [] as string[] });
  const of = (devices: DeviceFigures[], sorting: Sorting): DeviceFigures[] => {
    const { current } = body;
    const isHeld = current !== null && current.matches(':hover, :focus-within');
    let rows = sorted(devices, sorting);
    if (isHeld && before.current.sorting === sorting) {
      const place = new Map(before.current.ids.map((id, at) => [id, at]));
      const placeOf = ({ id }: DeviceFigures) => place.get(id) ?? Infinity;
      // Newcomers have the same infinite place, and stay in their order at the end.
      rows = rows.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0));
    }
    before.current = { sorting, ids: rows.map(({ id }) => id) };
    return rows;
  };
  return { body, of };
}
