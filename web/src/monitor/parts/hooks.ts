/** What several parts of the page need from their elements. */

import { type Ref } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

/** Keeps a list at its end after each update, unless a person has scrolled back. */
export function useEnd<E extends HTMLElement>(): Ref<E> {
  const list = useRef<E>(null);
  const height = useRef(0);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const wasAtEnd = element.scrollTop + element.clientHeight > height.current - 24;
    if (wasAtEnd) element.scrollTop = element.scrollHeight;
    height.current = element.scrollHeight;
  });
  return list;
}

/** Makes a plot in an element, and updates the plot when one of `changes` has changed. */
export function usePlot<P extends { destroy(): void }>(
  make: (root: HTMLElement) => P,
  update: (plot: P) => void,
  changes: unknown[],
): Ref<HTMLDivElement> {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<P | null>(null);
  useEffect(() => {
    const made = make(root.current!);
    plot.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => update(plot.current!), changes);
  return root;
}
