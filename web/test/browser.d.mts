import type { Browser } from 'playwright-core';

export const CHROMIUM: string | undefined;
export const FLAGS: string[];
export function plainBrowser(...urls: string[]): () => Promise<void>;
export function drivenBrowser(): Promise<Browser>;
