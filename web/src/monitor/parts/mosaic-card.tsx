import { Component } from 'preact';
import { useState } from 'preact/hooks';
import { background, lookOf } from '../colours.ts';
import type { DeviceFigures, Mosaic, ShownResult, Snapshot } from '../data.ts';
import { plain, whole } from '../format.ts';
import type { ShownResults } from '../results.ts';
import { compareIds } from '../series.ts';
import { Swatch } from './swatch.tsx';

interface Shown {
  mosaic: Mosaic;
  results: ShownResults;
  snapshot: Snapshot;
  dark: boolean;
}

/** A picture whose tiles are the results: each tile in its place, framed by its device's look. */
export function MosaicCard({ mosaic, results, snapshot, dark }: Shown) {
  const [framed, setFramed] = useState(true);
  const tiles = results.images;
  const total = whole(mosaic.columns * mosaic.rows);
  return (
    <section class="card mosaic-card" aria-labelledby="mosaic">
      <header>
        <h2>
          <span id="mosaic">Picture</span>{' '}
          <span class="soft">
            {whole(tiles.length)} of {total} tiles
          </span>
        </h2>
        <button class="quiet" onClick={() => setFramed(!framed)}>
          {framed ? 'Hide frames' : 'Show frames'}
        </button>
      </header>
      <div
        class={framed ? 'mosaic framed' : 'mosaic'}
        role="img"
        aria-label={`The picture: ${whole(tiles.length)} of ${total} tiles`}
        style={{ aspectRatio: `${mosaic.columns} / ${mosaic.rows}`, ...gridOf(mosaic) }}
      >
        {tiles.map((tile) => (
          <Tile key={tile.item} {...{ tile, dark }} columns={mosaic.columns} />
        ))}
      </div>
      <Painters {...{ tiles, dark }} devices={snapshot.devices} />
    </section>
  );
}

function gridOf({ columns, rows }: Mosaic) {
  return {
    gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
    gridTemplateRows: `repeat(${rows}, minmax(0, 1fr))`,
  };
}

interface Placed {
  tile: ShownResult;
  columns: number;
  dark: boolean;
}

/** One tile. A tile that stays the same is not made again. */
class Tile extends Component<Placed> {
  override shouldComponentUpdate({ tile, dark }: Placed) {
    return tile.device !== this.props.tile.device || dark !== this.props.dark;
  }

  override render() {
    const { tile, columns, dark } = this.props;
    const place = tile.item - 1;
    return (
      <div
        class="tile"
        style={{
          background: background(lookOf(tile.device, dark)),
          gridColumn: (place % columns) + 1,
          gridRow: Math.floor(place / columns) + 1,
        }}
      >
        <img src={String(tile.value)} alt="" decoding="async" />
      </div>
    );
  }
}

/** The devices that made the tiles, with the number of tiles of each. */
function Painters(props: { tiles: ShownResult[]; devices: DeviceFigures[]; dark: boolean }) {
  const { tiles, devices, dark } = props;
  const made = new Map<string, number>();
  for (const { device } of tiles) made.set(device, (made.get(device) || 0) + 1);
  return (
    <ul class="legend" aria-label="Tiles by device">
      {devices
        .filter(({ id, connected }) => connected || made.has(id))
        .sort((a, b) => compareIds(a.id, b.id))
        .map(({ id, name, connected }) => (
          <li key={id} class={connected ? '' : 'soft'}>
            <Swatch id={id} dark={dark} />
            <bdi>{plain(name)}</bdi> <span class="value">{whole(made.get(id) || 0)}</span>
            {!connected && ' (has left)'}
          </li>
        ))}
    </ul>
  );
}
