import { useEffect } from 'preact/hooks';
import type { DeviceFigures, Snapshot } from '../data.ts';
import { count, duration, plain, progressText, rate, whole } from '../format.ts';
import type { Model } from '../model.ts';
import { Announcer } from './announcer.tsx';
import { ConnectionPill } from './connection-pill.tsx';
import { VolunteerLink } from './invitation.tsx';
import { ProgressBar } from './progress-card.tsx';
import { QrCode } from './qr-code.tsx';
import { Swatch } from './swatch.tsx';

const MOST_DEVICES = 40;

/** The view for a projector: how to join, who has joined, and how far the run is. */
export function BigView(props: { snapshot: Snapshot; model: Model; dark: boolean }) {
  const { snapshot, model, dark } = props;
  const { title, from, progress, why, state, exitWords } = snapshot;
  const [url] = snapshot.volunteerUrls;
  const left = progress.secondsLeft;
  useEffect(leaveOnEscape, []);
  return (
    <main class="big">
      <header>
        <h1>
          <bdi>{title}</bdi>
          {from && (
            <span class="from">
              {' '}
              for <bdi>{from}</bdi>
            </span>
          )}
        </h1>
        {model.connection !== 'live' && <ConnectionPill model={model} />}
        <a class="button quiet" href="#">
          Leave big view
        </a>
      </header>
      {url && state !== 'finished' && (
        <section class="join" aria-labelledby="join">
          <QrCode text={url} />
          <div>
            <h2 id="join">Join with your device</h2>
            <p class="url">
              <VolunteerLink url={url} />
            </p>
          </div>
        </section>
      )}
      <JoinedDevices devices={snapshot.devices} dark={dark} />
      <section class="how-far" aria-labelledby="how-far">
        <h2 id="how-far" class="unseen">
          Progress
        </h2>
        <p class="done">{progressText(progress)}</p>
        <ProgressBar snapshot={snapshot} />
        <p class="soft">
          {plain(state === 'finished' ? exitWords : why) ||
            `${rate(progress.perSecond)} items/s${left === null ? '' : `, ${duration(left)} left`}`}
        </p>
      </section>
      <Announcer snapshot={snapshot} connection={model.connection} />
    </main>
  );
}

function JoinedDevices({ devices, dark }: { devices: DeviceFigures[]; dark: boolean }) {
  const here = devices.filter(({ connected }) => connected).sort((a, b) => b.since - a.since);
  const shown = here.slice(0, MOST_DEVICES);
  const cores = here.reduce((sum, device) => sum + device.lent, 0);
  return (
    <section class="joined" aria-labelledby="joined">
      <h2 id="joined">
        {here.length === 0
          ? 'No device has joined yet'
          : `${count(here.length, 'device')} with ${count(cores, 'core')}`}
      </h2>
      <ul>
        {shown.map((device) => (
          <li key={device.id}>
            <Swatch id={device.id} dark={dark} />
            <bdi>{device.name}</bdi> <span class="soft">{whole(device.items)}</span>
          </li>
        ))}
        {here.length > shown.length && <li>and {whole(here.length - shown.length)} more</li>}
      </ul>
    </section>
  );
}

function leaveOnEscape() {
  const leave = (event: KeyboardEvent) => {
    if (event.key === 'Escape') location.hash = '';
  };
  addEventListener('keydown', leave);
  return () => removeEventListener('keydown', leave);
}
