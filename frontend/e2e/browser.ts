import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { problemsOf } from "./axe";

/** CI keeps this folder as an artifact; git ignores it. */
const shots = resolve(import.meta.dirname, "../test-results");

/** launch starts Debian's Chromium. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** Reader is a browser window with what must never happen in it. */
export interface Reader {
  page: Page;
  shot(name: string): Promise<void>;
  /** look keeps a picture of the page in each theme, and lets axe read both. */
  look(name: string): Promise<void>;
  /** Fails where the page threw, or the content policy refused something. */
  isQuiet(): void;
}

export async function openReader(browser: Browser, scheme: "light" | "dark" = "light"): Promise<Reader> {
  mkdirSync(shots, { recursive: true });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: scheme });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const noise: string[] = [];
  page.on("pageerror", (error) => noise.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy/.test(message.text())) noise.push(message.text());
  });
  const shot = async (name: string) => {
    await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  return {
    page,
    shot,
    look: async (name) => {
      for (const theme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await shot(`${name}-${theme}`);
        expect(await problemsOf(page)).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: scheme });
    },
    isQuiet: () => expect(noise).toEqual([]),
  };
}
