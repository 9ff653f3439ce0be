const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * formatDuration writes milliseconds as a person says them: two units at most,
 * `420ms`, `6.3s`, `48s`, `2m 13s`, `1h 4m`, `3d 2h`. Negative spans, which
 * clocks that disagree can give, read as zero.
 */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms <= 0) return "0s";
  if (ms < SECOND) return `${Math.round(ms)}ms`;
  if (ms < 10 * SECOND) {
    const tenths = Math.floor(ms / 100) / 10;
    return Number.isInteger(tenths) ? `${tenths}s` : `${tenths.toFixed(1)}s`;
  }
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return pair(ms, MINUTE, "m", SECOND, "s");
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "m");
  return pair(ms, DAY, "d", HOUR, "h");
}

function pair(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const whole = Math.floor(ms / big);
  const rest = Math.floor((ms - whole * big) / small);
  return rest === 0 ? `${whole}${bigUnit}` : `${whole}${bigUnit} ${rest}${smallUnit}`;
}

/**
 * formatHours writes metered milliseconds as hours, the unit of an invoice; what
 * is less than one reads better as a duration.
 */
export function formatHours(ms: bigint | number): string {
  const hours = Number(ms) / HOUR;
  if (hours === 0) return "0 h";
  if (hours < 1) return formatDuration(Number(ms));
  return `${hours.toLocaleString("en-US", { maximumFractionDigits: hours < 100 ? 2 : 1 })} h`;
}
