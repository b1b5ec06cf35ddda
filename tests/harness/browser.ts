/** Chromium for tests of pages: CHROMIUM_PATH, else one of the usual names on the PATH. */
import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** Null where the machine has no Chromium. */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM_PATH'];
  if (named) return named;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];
  const { stdout } = spawnSync('which', names, { encoding: 'utf8' });
  return stdout?.split('\n')[0] || null;
}

/** A browser that reaches this machine and nothing else. */
export async function startBrowser(executablePath: string): Promise<Browser & AsyncDisposable> {
  return chromium.launch({
    executablePath,
    // Root has no sandbox; names of the outside resolve to nowhere.
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'],
  });
}
