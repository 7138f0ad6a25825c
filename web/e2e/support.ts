// Two people: a practice federation with an agent, and a second agent that joined it. Every page that is opened here is
// watched: where its requests go, and what the browser complains of.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Browser, type BrowserContext, type Page } from '@playwright/test';

const BIN = process.env.MOSAIC_BIN ?? process.env.MOSAIC_PROGRAM ?? '../target/debug/mosaic';
export const ARTIFACTS = 'test-artifacts';
/** The true position of whoever broadcasts, near the middle of the practice city: its decimals are what is searched for. */
export const TRUE = { text: '-45.003127, 0.004581', digits: ['003127', '004581'] };

/** Runs a command to its end. */
export function mosaic(dir: string, ...args: string[]): Record<string, unknown> {
  const said = execFileSync(BIN, ['--json', '--dir', dir, ...args], { encoding: 'utf8', env: { ...process.env, MOSAIC_PASSWORD: 'correct horse' } });
  return JSON.parse(said) as Record<string, unknown>;
}

/** Starts something that stays until its standard input ends. */
async function stays(dir: string, ...args: string[]): Promise<{ child: ChildProcess; ready: Record<string, unknown> }> {
  const child = spawn(BIN, ['--json', '--dir', dir, ...args, '--parent-on-stdin'], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((said, failed) => {
    lines.once('line', said);
    child.once('exit', (code) => failed(new Error(`mosaic ${args.join(' ')} ended with ${String(code)}`)));
  });
  const ready = JSON.parse(line) as Record<string, unknown>;
  if ('error' in ready) throw new Error(line);
  return { child, ready };
}

async function ends(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done));
  child.stdin?.end();
  await gone;
}

/** Folders of two people's agents, and where one provider tells its counts. */
export interface People {
  ana: string;
  ben: string;
  metrics: string;
}

export const test = base.extend<{ watched: Watched }, { people: People }>({
  people: [
    // eslint-disable-next-line no-empty-pattern -- the runner reads which fixtures are wanted off this pattern
    async ({}, use) => {
      const root = mkdtempSync(join(tmpdir(), 'mosaic-e2e-'));
      const [ana, ben] = [join(root, 'ana'), join(root, 'ben')];
      const password = join(root, 'password');
      writeFileSync(password, 'correct horse\n');
      const federation = await stays(ana, 'up');
      const { link } = mosaic(ana, 'federation', 'link', '--file', join(ana, 'federation.json'));
      mosaic(ben, 'join', String(link));
      const second = await stays(ben, 'agent', '--places', join(ana, 'places.mosaic'), '--password-file', password);
      const [metrics = ''] = federation.ready.metrics as string[];
      await use({ ana, ben, metrics });
      await ends(second.child);
      await ends(federation.child);
      rmSync(root, { recursive: true, force: true });
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  watched: async ({ browser }, use) => {
    const watched = new Watched(browser);
    await use(watched);
    await watched.judge();
  },
});

/** Opens pages and keeps book of them. */
export class Watched {
  readonly asked: string[] = [];
  private readonly complaints: string[] = [];
  private readonly contexts: BrowserContext[] = [];

  constructor(private readonly browser: Browser) {}

  async person(dir: string, size: 'phone' | 'desktop', query = ''): Promise<Page> {
    const viewport = size === 'phone' ? { width: 360, height: 780 } : { width: 1280, height: 860 };
    const context = await this.browser.newContext({ viewport, hasTouch: size === 'phone', locale: 'en-GB' });
    this.contexts.push(context);
    context.on('request', (request) => this.asked.push(request.url()));
    const page = await context.newPage();
    page.on('websocket', (socket) => this.asked.push(socket.url()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.complaints.push(message.text());
    });
    await enter(page, dir, query);
    return page;
  }

  /** Nothing asked anybody but an agent of this machine, and no page broke or wanted what the policy forbids. */
  async judge(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
    expect(this.asked.length).toBeGreaterThan(0);
    expect(this.asked.filter((url) => !['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname))).toEqual([]);
    expect(this.complaints).toEqual([]);
  }
}

/** As a person does: asks the agent for an address, and opens it. */
export async function enter(page: Page, dir: string, query = ''): Promise<void> {
  const { app } = mosaic(dir, 'open');
  const address = new URL(String(app));
  address.search = query;
  await page.goto(address.href);
  await expect(page.getByRole('navigation')).toBeVisible();
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: `${ARTIFACTS}/${name}.png`, fullPage: true });
}

/** No fault against WCAG 2.2 AA that a program can find. */
export async function accessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)).toEqual([]);
}

/** All of a page, and all that it keeps or was told of by its addresses. */
export async function traces(page: Page): Promise<{ page: string; kept: string }> {
  return page.evaluate(async () => {
    const cached: string[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const answer = await cache.match(request);
        cached.push(request.url, (await answer?.text()) ?? '');
      }
    }
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    const attributes = [...document.querySelectorAll('*')].flatMap((element) => [...element.attributes].map(({ value }) => value));
    const fields = [...document.querySelectorAll<HTMLInputElement>('input, textarea')].map(({ value }) => value);
    const addresses = performance.getEntriesByType('resource').map(({ name }) => name);
    return {
      page: JSON.stringify([document.documentElement.outerHTML, attributes, fields]),
      kept: JSON.stringify([
        location.href, document.cookie, databases, Object.entries(localStorage), Object.entries(sessionStorage), history.state, cached, addresses,
      ]),
    };
  });
}

export { expect };
