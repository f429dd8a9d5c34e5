import type { Snapshot } from '../data.ts';
import { count, duration, percentDone, plain, progressText, rate, whole } from '../format.ts';

const STATES = {
  running: 'Running',
  finishing: 'Finishing what was read',
  finished: 'Finished',
};

/** How far the run is, when it will end, and why nothing happens, if nothing does. */
export function ProgressCard({ snapshot }: { snapshot: Snapshot }) {
  const { state, why, exitWords } = snapshot;
  const words = state === 'finished' ? exitWords : why;
  return (
    <section class="card progress-card" aria-labelledby="progress">
      <h2 id="progress" class="unseen">
        Progress
      </h2>
      <p class={`state ${state}`}>{STATES[state]}</p>
      <p class="done">{progressText(snapshot.progress)}</p>
      <ProgressBar snapshot={snapshot} />
      <Figures snapshot={snapshot} />
      {words && <p class={state === 'finished' ? 'words' : 'words why'}>{plain(words)}</p>}
    </section>
  );
}

export function ProgressBar({ snapshot }: { snapshot: Snapshot }) {
  const { progress } = snapshot;
  const percent = percentDone(progress);
  const value = percent === null ? {} : { 'aria-valuenow': percent };
  const share = percent === null ? 0 : (progress.done / Math.max(progress.total!, 1)) * 100;
  return (
    <div
      class={`bar ${percent === null ? 'unknown' : ''} ${snapshot.state}`}
      role="progressbar"
      aria-label="Items done"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={progressText(progress)}
      {...value}
    >
      <div style={{ width: `${Math.min(100, share)}%` }} />
    </div>
  );
}

function Figures({ snapshot }: { snapshot: Snapshot }) {
  const { progress, elapsed, state, devices } = snapshot;
  const connected = devices.filter((device) => device.connected);
  const cores = connected.reduce((sum, device) => sum + device.lent, 0);
  const left = progress.secondsLeft;
  const isOver = state === 'finished';
  return (
    <dl class="figures">
      <Figure name={isOver ? 'Items/s on average' : 'Items/s'}>
        {rate(isOver ? progress.computed / Math.max(elapsed, 0.001) : progress.perSecond)}
      </Figure>
      {!isOver && <Figure name="Time left">{left === null ? 'unknown' : duration(left)}</Figure>}
      <Figure name={isOver ? 'Time' : 'Time so far'}>{duration(elapsed)}</Figure>
      {isOver ? (
        <Figure name="Helped by">{count(devices.length, 'device')}</Figure>
      ) : (
        <Figure name={connected.length === 1 ? 'Device' : 'Devices'}>
          {whole(connected.length)}
          <small> with {count(cores, 'core')}</small>
        </Figure>
      )}
    </dl>
  );
}

export function Figure(props: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
