/** Months are billing months in UTC, spelled as on the wire: `2026-11`. */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** isMonth tells a month from anything else that a URL may hold. */
export function isMonth(text: string): boolean {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text);
}

/** addMonths counts months forward or back. */
export function addMonths(month: string, n: number): string {
  const [year = 0, index = 1] = month.split("-").map(Number);
  return monthOf(Date.UTC(year, index - 1 + n, 1));
}

/** monthName writes `November 2026`. */
export function monthName(month: string): string {
  const at = Date.parse(`${month}-01T00:00:00Z`);
  return new Intl.DateTimeFormat("en-US", { month: "long", year: "numeric", timeZone: "UTC" }).format(at);
}

/** daysOf lists the days of a month: `2026-11-01` … `2026-11-30`. */
export function daysOf(month: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(`${month}-01T00:00:00Z`); monthOf(at) === month; at += 86_400_000) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}
