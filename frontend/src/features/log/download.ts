import { stripAnsi } from "./ansi";
import type { LogLine } from "./line";

/** logText is a log as a file: time and text, without colours. */
export function logText(lines: readonly LogLine[]): string {
  return lines.map(({ time, text }) => `${time ? `${time} ` : ""}${stripAnsi(text)}\n`).join("");
}

/** downloadLog saves what was opened here; no server makes this file. */
export function downloadLog(lines: readonly LogLine[], name: string): void {
  const url = URL.createObjectURL(new Blob([logText(lines)], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
