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
}

/** One device. A row whose texts stay the same is not made again. */
export class DeviceRow extends Component<Shown> {
  override shouldComponentUpdate(next: Shown) {
    return signature(next) !== signature(this.props);
  }

  override render() {
    const { device, columns, now, actions, dark } = this.props;
    return (
      <tr role="row" class={`${device.health}${device.connected ? '' : ' away'}`}>
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
              {key === 'cores' && device.connected ? (
                <Cores {...{ device, actions }} text={text(device, now)} />
              ) : (
                <bdi>{text(device, now)}</bdi>
              )}
            </td>
          ),
        )}
        <td role="cell" class="actions">
          {device.connected && <Buttons {...{ device, actions }} />}
        </td>
      </tr>
    );
  }
}

function signature({ device, columns, now, dark }: Shown): string {
  const texts = columns.map((column) => column.text(device, now));
  return [...texts, device.health, device.connected, dark].join('\n');
}

/** A figure without news is shown softly. */
function isZero(key: string, device: DeviceFigures): boolean {
  return key === 'failures' && device.failedAttempts === 0;
}

function Cores(props: { device: DeviceFigures; actions: Actions; text: string }) {
  const { device, actions, text } = props;
  const { id, name, lent, cores } = device;
  const lend = (cores: number) => actions.now({ action: 'cores', device: id, cores });
  return (
    <span class="stepper">
      <button
        aria-label={`Fewer cores of ${plain(name)}`}
        title="Fewer cores"
        disabled={lent <= 1}
        onClick={() => lend(lent - 1)}
      >
        −
      </button>
      <span class="value">{text}</span>
      <button
        aria-label={`More cores of ${plain(name)}`}
        title="More cores"
        disabled={lent >= cores}
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
        aria-label={`${verb} ${plain(name)}`}
        onClick={() => actions.now({ action: isPaused ? 'resume' : 'pause', device: id })}
      >
        {verb}
      </button>
      <button class="small bad" aria-label={`Send ${plain(name)} away`} onClick={sendAway}>
        Send away
      </button>
    </>
  );
}
