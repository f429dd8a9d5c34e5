import { background, lookOf } from '../../monitor/colours.ts';
import { columnOf, type Column } from '../../monitor/columns.ts';
import type { DeviceFigures } from '../../monitor/data.ts';
import { percent, whole } from '../../monitor/format.ts';
import { Swatch } from '../../monitor/parts/swatch.tsx';
import { moment } from '../axes.ts';
import type { ReportData } from '../data.ts';

type ReportColumn = Pick<Column, 'key' | 'title' | 'isNumber' | 'text'>;

/** The figures that have a meaning after the run. */
const COLUMNS: ReportColumn[] = [
  columnOf('kind'),
  columnOf('way'),
  { key: 'lends', title: 'Cores', isNumber: true, text: ({ cores }) => whole(cores) },
  columnOf('items'),
  columnOf('share'),
  columnOf('mean'),
  { key: 'busy', title: 'Busy', isNumber: true, text: ({ busy }) => percent(busy) },
  columnOf('bytes'),
  columnOf('failures'),
];

interface Shown {
  data: ReportData;
  dark: boolean;
}

/** The devices with their figures. */
export function DeviceFiguresTable({ data, dark }: Shown) {
  const { devices, now } = data.snapshot;
  const reported = devices.some(({ reports }) => reports.length > 0) ? [columnOf('reported')] : [];
  const columns = [...COLUMNS, ...reported];
  return (
    <section class="card devices" aria-labelledby="devices">
      <h2 id="devices">
        Devices <span class="soft">{whole(devices.length)}</span>
      </h2>
      {devices.length === 0 ? (
        <p class="soft">No device has joined.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Figures of the devices">
          <table role="table">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">
                  Device
                </th>
                {columns.map(({ key, title, isNumber }) => (
                  <th
                    key={key}
                    role="columnheader"
                    scope="col"
                    class={isNumber ? 'number' : undefined}
                  >
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {devices.map((device) => (
                <Row key={device.id} {...{ device, columns, now, dark }} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row(props: {
  device: DeviceFigures;
  columns: ReportColumn[];
  now: number;
  dark: boolean;
}) {
  const { device, columns, now, dark } = props;
  return (
    <tr role="row">
      <th role="rowheader" scope="row" class="name">
        <Swatch id={device.id} dark={dark} />
        <bdi>{columnOf('name').text(device, now)}</bdi>
      </th>
      {columns.map(({ key, title, isNumber, text }) => (
        <td
          key={key}
          role="cell"
          class={`${isNumber ? 'number ' : ''}${key}${isZero(key, device) ? ' zero' : ''}`}
          data-title={title}
        >
          <bdi>{text(device, now)}</bdi>
        </td>
      ))}
    </tr>
  );
}

/** A figure without news is shown softly. */
function isZero(key: string, { failedAttempts }: DeviceFigures): boolean {
  return key === 'failures' && failedAttempts === 0;
}

/** When each device was connected. */
export function Timelines({ data, dark }: Shown) {
  const { devices, started, now } = data.snapshot;
  const length = Math.max(now - started, 0.001);
  const present = devices.filter(({ id }) => data.stays[id]);
  if (present.length === 0) return null;
  const time = (seconds: number) => moment(seconds, length);
  return (
    <section class="card timelines" aria-labelledby="timelines">
      <h2 id="timelines">
        When devices were connected{' '}
        <span class="soft">
          {time(started)} to {time(now)}
        </span>
      </h2>
      <ul>
        {present.map(({ id, name }) => (
          <li key={id}>
            <bdi class="name">{name}</bdi>
            <div class="track" aria-hidden="true">
              {data.stays[id].map(([from, until]) => (
                <div
                  key={from}
                  style={{
                    left: `${((from - started) / length) * 100}%`,
                    width: `${((until - from) / length) * 100}%`,
                    background: background(lookOf(id, dark)),
                  }}
                />
              ))}
            </div>
            <span class="times">
              {data.stays[id].map(([from, until]) => `${time(from)}–${time(until)}`).join(', ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
