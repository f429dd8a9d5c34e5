/**
 * The look of each device: one of eight colours, then the same colours with stripes. The look
 * follows from the device's id alone, so page, report and film strip agree, also after a reload.
 */

/**
 * Colours of Okabe and Ito, which people with any colour vision can tell apart. Each colour was
 * made lighter or darker until its contrast with the background is at least 3:1.
 */
const LIGHT = [
  '#5c6670',
  '#0072b2',
  '#c45500',
  '#00866a',
  '#a8518a',
  '#3a8fc4',
  '#8a6d00',
  '#5b4bb3',
];
const DARK = [
  '#b4bcc4',
  '#4da3e0',
  '#f08a3c',
  '#2fbf95',
  '#dd8fbe',
  '#8fd0f5',
  '#e3c84b',
  '#a79cf2',
];

export type Stripes = 'none' | 'rising' | 'falling';
const STRIPES: Stripes[] = ['none', 'rising', 'falling'];

export interface Look {
  colour: string;
  stripes: Stripes;
}

/** The look of all devices that have no part of the plot for themselves. */
export function otherLook(dark: boolean): Look {
  return { colour: dark ? '#4a5560' : '#c3cad1', stripes: 'none' };
}

/** The look of the device with this id; the empty id stands for the other devices. */
export function lookOf(id: string, dark: boolean): Look {
  if (id === '') return otherLook(dark);
  const colours = dark ? DARK : LIGHT;
  const place = placeOf(id);
  return {
    colour: colours[place % colours.length],
    stripes: STRIPES[Math.floor(place / colours.length) % STRIPES.length],
  };
}

/** The look as a CSS background. */
export function background({ colour, stripes }: Look): string {
  if (stripes === 'none') return colour;
  const angle = stripes === 'rising' ? 135 : 45;
  const light = `color-mix(in srgb, ${colour} 45%, var(--card))`;
  return `repeating-linear-gradient(${angle}deg, ${colour} 0 3px, ${light} 3px 6px)`;
}

/** Masters number their devices; other ids are spread over the looks. */
function placeOf(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  let hash = 0;
  for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) >>> 0;
  return hash;
}
