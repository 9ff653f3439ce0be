import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** problemsOf lists what axe finds serious: the rule, and where. */
export async function problemsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const report: unknown = await page.evaluate("axe.run()");
  return violationsOf(report)
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

function violationsOf(report: unknown): Violation[] {
  if (typeof report !== "object" || report === null || !("violations" in report)) throw new Error("axe gave no report");
  return report.violations as Violation[];
}
