/** The function of `pando demo`. */
declare module '*/demo/demo.js' {
  /** Renders the tile that the text describes, and returns the address of an image. */
  export default function render(text: string): string;
}
