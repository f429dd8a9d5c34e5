import { Component } from 'preact';
import type { Column } from '../columns.ts';
import type { DeviceFigures } from '../data.ts';
import { plain } from '../format.ts';
import type { Actions } from './app.tsx';
import { Swatch } from './swatch.tsx';

interface Shown {
  device: DeviceFigures;
  columns: Column[];
  now: number;
  actions: Actions;
  dark: boolean;
  /** Whether the owner can ask the device for something. */
  canAct: boolean;
}

/** One device. A row whose texts stay the same is not made again. */
export class DeviceRow extends Component<Shown> {
  override shouldComponentUpdate(next: Shown) {
    return signature(next) !== signature(this.props);
  }

  override render() {
    const { device, columns, now, actions, dark, canAct } = this.props;
    return (
      <tr role="row" class={device.health}>
        {columns.map(({ key, title, isNumber, text }) =>
          key === 'name' ? (
            <th key={key} role="rowheader" scope="row" class="name">
              <Swatch id={device.id} dark={dark} />
              <bdi>{text(device, now)}</bdi>
            </th>
          ) : (
            <td
              key={key}
              role="cell"
              class={`${isNumber ? 'number ' : ''}${key}${isZero(key, device) ? ' zero' : ''}`}
              data-title={title}
            >
              {key === 'cores' && canAct ? (
                <Cores {...{ device, actions }} text={text(device, now)} />
              ) : (
                <bdi>{text(device, now)}</bdi>
              )}
            </td>
          ),
        )}
        <td role="cell" class="actions">
          {canAct && <Buttons {...{ device, actions }} />}
        </td>
      </tr>
    );
  }
}

function signature({ device, columns, now, dark, canAct }: Shown): string {
  const texts = columns.map((column) => column.text(device, now));
  return [...texts, device.health, dark, canAct].join('\n');
}

/** A figure without news is shown softly. */
function isZero(key: string, device: DeviceFigures): boolean {
  return key === 'failures' && device.failedAttempts === 0;
}

function Cores(props: { device: DeviceFigures; actions: Actions; text: string }) {
  const { device, actions, text } = props;
  const { id, name, lent, cores, health } = device;
  const isPaused = health === 'paused';
  const lend = (cores: number) => actions.now({ action: 'cores', device: id, cores });
  return (
    <span class="stepper">
      <button
        aria-label={`Fewer cores of ${plain(name)}`}
        title="Fewer cores"
        disabled={isPaused || lent <= 1}
        onClick={() => lend(lent - 1)}
      >
        −
      </button>
      <span class="value">{text}</span>
      <button
        aria-label={`More cores of ${plain(name)}`}
        title="More cores"
        disabled={isPaused || lent >= cores}
        onClick={() => lend(lent + 1)}
      >
        +
      </button>
    </span>
  );
}

function Buttons({ device, actions }: { device: DeviceFigures; actions: Actions }) {
  const { id, name, health } = device;
  const isPaused = health === 'paused';
  const verb = isPaused ? 'Resume' : 'Pause';
  const sendAway = () =>
    actions.afterQuestion({
      title: `Send ${plain(name)} away?`,
      detail: 'The device computes no more for this run. Its items go to other devices.',
      verb: 'Send away',
      action: { action: 'remove', device: id },
    });
  return (
    <>
      <button
        class="small"
        title={verb}
        aria-label={`${verb} ${plain(name)}`}
        onClick={() => actions.now({ action: isPaused ? 'resume' : 'pause', device: id })}
      >
        <Icon path={isPaused ? RESUME : PAUSE} />
        <span class="verb">{verb}</span>
      </button>
      <button
        class="small bad"
        title="Send away"
        aria-label={`Send ${plain(name)} away`}
        onClick={sendAway}
      >
        <Icon path={LEAVE} />
        <span class="verb">Send away</span>
      </button>
    </>
  );
}

const PAUSE = 'M4 3h3v10H4zM9 3h3v10H9z';
const RESUME = 'M4 2.5v11l9-5.5z';
const LEAVE = 'M3 2h6v2H5v8h4v2H3zM10 4.5 13.5 8 10 11.5V9H6.5V7H10z';

function Icon({ path }: { path: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} fill="currentColor" />
    </svg>
  );
}
