import { preview, type PreviewServer } from 'vite';

import { accessible, ARTIFACTS, expect, test } from './support';

/** Serves the dashboard as a provider's listener would: its files, and the counts of a real provider beside them. */
async function beside(metrics: string): Promise<{ server: PreviewServer; url: string }> {
  const { origin } = new URL(metrics);
  const server = await preview({ logLevel: 'silent', preview: { host: '127.0.0.1', port: 0, proxy: { '/metrics': origin } } });
  return { server, url: server.resolvedUrls?.local[0] ?? '' };
}

test('an operator sees the counts of a real provider, and nothing of one event', async ({ people, browser }) => {
  const { server, url } = await beside(people.metrics);
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${url}dashboard.html`);
  await expect(page.getByText('Nothing to look after.')).toBeVisible();
  await expect(page.locator('.fact', { hasText: 'Other providers that answer' })).toContainText('2');
  await expect(page.getByText('This listener serves no statements')).toBeVisible();
  await accessible(page, 'dashboard');
  await page.screenshot({ path: `${ARTIFACTS}/dashboard.png`, fullPage: true });
  expect(new Set(asked.filter((path) => !/^\/(assets\/.*|dashboard\.html|icon\.svg)$/.test(path)))).toEqual(new Set(['/metrics', '/statements.json']));
  await context.close();
  await server.close();
});
