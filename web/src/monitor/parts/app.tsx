import { useState } from 'preact/hooks';
import type { Action, Snapshot } from '../data.ts';
import { percentDone, plain } from '../format.ts';
import { act, type Model } from '../model.ts';
import { Announcer } from './announcer.tsx';
import { BigView } from './big-view.tsx';
import { ConfirmDialog, type Question } from './confirm-dialog.tsx';
import { ConnectionPill } from './connection-pill.tsx';
import { DeviceTable } from './device-table.tsx';
import { FailureList } from './failure-list.tsx';
import { Invitation } from './invitation.tsx';
import { MosaicCard } from './mosaic-card.tsx';
import { PrintedLines } from './printed-lines.tsx';
import { ProgressCard } from './progress-card.tsx';
import { ResultsCard } from './results-card.tsx';
import { ThroughputCard } from './throughput-card.tsx';
import { Titles } from './titles.tsx';
import { WindowCard } from './window-card.tsx';

/** The ways in which the parts of the page ask the master to act. */
export interface Actions {
  /** Acts at once. */
  now(action: Action): void;
  /** Acts after the person has confirmed. */
  afterQuestion(question: Question): void;
}

export function App({ model, dark, big }: { model: Model; dark: boolean; big: boolean }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const [refusal, setRefusal] = useState('');
  const { snapshot } = model;
  const now = (action: Action) => void act(action).then(setRefusal);
  const actions: Actions = { now, afterQuestion: setQuestion };
  document.title = titleOf(snapshot);

  if (!snapshot) return <Welcome model={model} />;
  if (big) return <BigView snapshot={snapshot} model={model} dark={dark} />;
  return (
    <>
      <Header snapshot={snapshot} model={model} actions={actions} />
      <main>
        {refusal && (
          <div class="card refusal" role="alert">
            <p>{plain(refusal)}</p>
            <button class="quiet" onClick={() => setRefusal('')}>
              Close
            </button>
          </div>
        )}
        <Cards snapshot={snapshot} model={model} actions={actions} dark={dark} />
      </main>
      <footer>
        <p>
          Pando {snapshot.version} · <bdi>{snapshot.command}</bdi> · data:{' '}
          <a href="status.json">status.json</a>, <a href="metrics">metrics</a>
        </p>
      </footer>
      <Announcer snapshot={snapshot} connection={model.connection} />
      <ConfirmDialog question={question} close={() => setQuestion(null)} confirm={now} />
    </>
  );
}

interface Shown {
  snapshot: Snapshot;
  model: Model;
  actions: Actions;
}

function Cards({ snapshot, model, actions, dark }: Shown & { dark: boolean }) {
  // Before the first device joins, only one thing matters: how a device joins.
  const isEmpty = snapshot.devices.length === 0 && snapshot.state === 'running';
  const isOver = snapshot.state === 'finished';
  const { mosaic } = snapshot;
  const { results } = model;
  const first = (
    <>
      <ProgressCard snapshot={snapshot} />
      {!isOver && <Invitation snapshot={snapshot} isLarge={isEmpty} />}
    </>
  );
  return (
    <div class={isOver || isEmpty ? 'cards' : 'cards invites'}>
      {mosaic && results && !isEmpty ? (
        <>
          <MosaicCard {...{ mosaic, results, snapshot, dark }} />
          <div class="side">{first}</div>
        </>
      ) : (
        first
      )}
      {!isEmpty && (
        <>
          <ThroughputCard snapshot={snapshot} history={model.history} dark={dark} />
          <div class="side">
            <WindowCard snapshot={snapshot} />
            <FailureList failures={snapshot.failures} />
          </div>
          <DeviceTable snapshot={snapshot} actions={actions} dark={dark} />
          {!mosaic && (!isOver || results) && (
            <ResultsCard snapshot={snapshot} model={model} dark={dark} />
          )}
          <PrintedLines lines={snapshot.prints} />
        </>
      )}
    </div>
  );
}

function Header({ snapshot, model, actions }: Shown) {
  const { title, from, state } = snapshot;
  return (
    <header class="top">
      <Titles brand="Pando" title={title} from={from} />
      <ConnectionPill model={model} />
      <nav aria-label="Actions for the run">
        <a class="button quiet" href="#big">
          Big view
        </a>
        {state === 'running' && (
          <button class="quiet" onClick={() => actions.afterQuestion(FINISH)}>
            Finish early
          </button>
        )}
        {state !== 'finished' && (
          <button class="quiet bad" onClick={() => actions.afterQuestion(STOP)}>
            Stop
          </button>
        )}
      </nav>
    </header>
  );
}

const FINISH: Question = {
  title: 'Finish early?',
  detail: 'Pando reads no further input. It finishes the items that it has read, and then ends.',
  verb: 'Finish early',
  action: { action: 'finish' },
};

const STOP: Question = {
  title: 'Stop the run now?',
  detail: 'Items that are in progress are lost. Results that were output stay.',
  verb: 'Stop now',
  action: { action: 'stop' },
};

function Welcome({ model }: { model: Model }) {
  return (
    <main class="welcome">
      <p class="brand">Pando</p>
      <h1>Monitoring</h1>
      <ConnectionPill model={model} />
    </main>
  );
}

function titleOf(snapshot?: Snapshot): string {
  if (!snapshot) return 'Pando: monitoring';
  const percent = percentDone(snapshot.progress);
  const begin = percent === null ? '' : `${percent} % · `;
  return `${begin}${plain(snapshot.title)} · Pando`;
}
