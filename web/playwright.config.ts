import { defineConfig } from '@playwright/test';

/** Real agents on this machine, a browser that the system's packages brought, and nothing else. */
export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  outputDir: 'test-artifacts/failures',
  reporter: [['list']],
  // one federation, and a person who locks the app locks it for the other test as well
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  // played in real time against real agents: once more where the machine was too busy
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 15_000 },
  use: {
    headless: true,
    trace: 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
});
