/** The results that the page shows, in the order of their items and in bounded memory. */

import type { ShownResult } from './data.ts';

const MOST_IMAGES = 500;
const MOST_IMAGE_BYTES = 64 << 20;
const MOST_NUMBERS = 10_000;
const MOST_TEXTS = 500;

export class ShownResults {
  readonly images: ShownResult[] = [];
  readonly numbers: ShownResult[] = [];
  readonly texts: ShownResult[] = [];
  /** The number of results that this page could not take in time. */
  lost = 0;
  /** Changes with each result. */
  version = 0;
  private imageBytes = 0;

  add(result: ShownResult) {
    this.version++;
    switch (result.kind) {
      case 'image':
        return this.addImage(result);
      case 'number':
        return this.addTo(this.numbers, result, MOST_NUMBERS);
      default:
        return this.addTo(this.texts, result, MOST_TEXTS);
    }
  }

  private addImage(image: ShownResult) {
    this.imageBytes += sizeOf(image) - sizeOf(insert(this.images, image));
    while (this.images.length > MOST_IMAGES || this.imageBytes > MOST_IMAGE_BYTES) {
      this.imageBytes -= sizeOf(this.images.shift());
    }
  }

  private addTo(list: ShownResult[], result: ShownResult, most: number) {
    insert(list, result);
    if (list.length > most) list.shift();
  }
}

function sizeOf(image?: ShownResult): number {
  return image ? String(image.value).length : 0;
}

/** Puts the result in its place, and returns the earlier result of the same item. */
function insert(list: ShownResult[], result: ShownResult): ShownResult | undefined {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].item < result.item) low = middle + 1;
    else high = middle;
  }
  const isSame = low < list.length && list[low].item === result.item;
  return list.splice(low, isSame ? 1 : 0, result)[0];
}
