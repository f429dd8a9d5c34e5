import type { Snapshot } from '../data.ts';
import type { ConnectionState } from '../event-stream.ts';
import { plain } from '../format.ts';

/**
 * Tells people who listen to the page the few changes that matter. Figures change every second, so
 * they are not part of the text.
 */
export function Announcer(props: { snapshot: Snapshot; connection: ConnectionState }) {
  return (
    <p class="unseen" role="status">
      {announcement(props.snapshot, props.connection)}
    </p>
  );
}

function announcement({ state, exitWords, devices }: Snapshot, connection: ConnectionState) {
  if (state === 'finished') return `The run has ended. ${plain(exitWords)}`;
  if (connection === 'lost') return 'The connection to the master is lost.';
  if (state === 'finishing') return 'The run finishes the items that it has read.';
  if (!devices.some((device) => device.connected)) return 'No device is connected.';
  return '';
}
