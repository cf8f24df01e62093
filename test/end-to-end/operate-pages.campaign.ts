import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { type DevelopmentServer, startDevelopmentServer } from '../support/development-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { sendRequest } from '../support/raw-http.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A folder for the screenshots; otherwise only their size is checked. */
const screenshots = process.env.COUNTERSIGN_SCREENSHOTS;

const hostileId = '<img src=x onerror="document.title=1">';

describeWith(['chromium', 'curl'], 'the pages of a running server', () => {
  let browser: Browser;
  let server: DevelopmentServer;
  let origin: string;
  let operations: string;
  const cwd = temporaryDirectory();
  const paste = async (command = '') => {
    const { stdout } = await runProgram('sh', ['-c', `${command} -sS`], { cwd });
    return JSON.parse(stdout.toString());
  };

  beforeAll(async () => {
    server = await startDevelopmentServer(cwd, await freePort());
    origin = `https://localhost:${server.port}`;
    operations = /--operations (\S+)/.exec(server.stdout())?.[1] ?? '';
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const open = async (url: string, width: number, colorScheme: 'light' | 'dark') => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => void problems.push(String(error)));
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colorScheme }]);
    await page.goto(url, { waitUntil: 'load' });
    return { page, problems };
  };
  const textOf = (page: Page, selector: string) => page.$eval(selector, (element) => element.textContent);
  const shows = async (page: Page, text: string) => {
    let shown = '';
    const hasText = async () => {
      shown = await textOf(page, 'main');
      return shown.includes(text);
    };
    await eventually(hasText, () => `"${text}" is not in: ${shown}`);
  };

  test('the page of the development server shows clients, commands, the last token and live decisions', async () => {
    const { page, problems } = await open(`${origin}/`, 1100, 'light');
    expect(await textOf(page, 'h1')).toBe('Countersign development server');
    for (const text of ['mtls.client', 'mtls.tb', 'CN=mtls.client,OU=production,O=company', 'None yet'])
      await shows(page, text);
    const commands = await page.$$eval('pre', (found) => found.map((element) => element.textContent));
    expect(commands).toContain(server.commands['mtls.client']);
    expect(commands).toContain('NODE_EXTRA_CA_CERTS=.countersign/ca.pem node …');

    // What the page shows is what happens afterwards, without a reload.
    const { access_token: token } = await paste(server.commands['mtls.client']);
    await shows(page, 'token issued');
    await page.setViewport({ width: 660, height: 800 });
    const lines = await page.$eval('td[data-label="Client"] code', (code) => code.getClientRects().length);
    expect(lines, 'of a client_id of usual length').toBe(1);
    await shows(page, JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).jti);
    await shows(page, 'x5t#S256');
    expect(await page.content()).not.toContain(token);

    await paste(
      server.commands['mtls.client']?.replace('-d client_id=mtls.client', `--data-urlencode 'client_id=${hostileId}'`),
    );
    await shows(page, 'no client is registered under this client_id');
    await shows(page, hostileId);
    await shows(page, 'client_unknown');
    await shows(page, 'Fix: ');
    expect(await page.title()).toBe('Countersign development server');
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([
    [400, 'light'],
    [400, 'dark'],
    [1100, 'dark'],
  ] as const)('it is readable at %i px in %s mode', async (width, scheme) => {
    const { page, problems } = await open(`${origin}/`, width, scheme);
    await shows(page, 'Last token');
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBe(0);
    expect(await lowContrast(page)).toEqual([]);
    const image = await page.screenshot({ fullPage: true });
    expect(image.length).toBeGreaterThan(10_000);
    if (screenshots) writeFileSync(join(screenshots, `development-page-${width}-${scheme}.png`), image);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the operations listener shows the decisions of a request, and those that follow', async () => {
    const { page, problems } = await open(`${operations}/decisions`, 1100, 'light');
    await shows(page, 'no client is registered under this client_id');
    const { access_token: token } = await paste(server.commands['mtls.tb']);
    await shows(page, 'mtls.tb');
    expect(await page.content()).not.toContain(token);
    if (screenshots) writeFileSync(join(screenshots, 'decisions.png'), await page.screenshot({ fullPage: true }));
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([
    ['another host name, as after DNS rebinding', ['Host: attacker.example']],
    ['a proxy in front of it', ['Host: localhost', 'X-Forwarded-For: 192.0.2.1']],
    ['a proxy that only sets X-Real-IP', ['Host: localhost', 'X-Real-IP: 192.0.2.1']],
    ['a proxy that only sets Via', ['Host: localhost', 'Via: 1.1 proxy']],
  ])('the operations listener serves neither the decisions nor the doctor with %s', async (_, lines) => {
    for (const path of ['/decisions', '/decisions/live', `/doctor/${'a'.repeat(22)}`]) {
      const response = await sendRequest(operations, { method: 'GET', path, lines });
      expect([response.status, response.body.toString()]).toEqual([403, expect.stringMatching(/^forbidden: /)]);
    }
  });

  test('the page reports that the server has stopped, and continues when it is back', async () => {
    const { page } = await open(`${origin}/`, 1100, 'light');
    await server.stop();
    await page.waitForSelector('#status:not([hidden])');
    server = await startDevelopmentServer(cwd, server.port);
    await page.waitForSelector('#status[hidden]');
    await page.close();
  });
});

/** The texts whose contrast with their background is below 4.5 (WCAG 2.2, 1.4.3). */
function lowContrast(page: Page): Promise<unknown> {
  // A text: the compiler knows the globals of Node.js, not those of a browser.
  return page.evaluate(`(() => {
    const numbers = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const luminance = (color) => {
      const [red, green, blue] = numbers(color).map((value) =>
        value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const backgroundOf = (element) => {
      const { backgroundColor } = getComputedStyle(element);
      return numbers(backgroundColor)[3] === 0 && element.parentElement
        ? backgroundOf(element.parentElement)
        : backgroundColor;
    };
    const isText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    return [...document.querySelectorAll('main *')].filter(isText).flatMap((element) => {
      const colors = [getComputedStyle(element).color, backgroundOf(element)];
      const [dark, light] = colors.map(luminance).sort((a, b) => a - b);
      const contrast = (light + 0.05) / (dark + 0.05);
      return contrast < 4.5 ? [element.textContent + ': ' + contrast.toFixed(2)] : [];
    });
  })()`);
}
