import puppeteer, { type Browser } from 'puppeteer-core';
import { programPath } from './program-path.ts';

/** Starts the browser. It accepts any server certificate, as a user does who clicks the warning away. */
export function startChromium(): Promise<Browser> {
  return puppeteer.launch({
    executablePath: programPath('chromium'),
    acceptInsecureCerts: true,
    // The sandbox of Chromium does not start as root.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}
