import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Tooltip } from "@mantine/core";
import { formatDuration } from "@/format/duration";
import { formatAbsolute, formatRelative, millis } from "@/format/time";
import { useNow } from "./now";
import { useZone } from "./zone";

interface MomentProps {
  at: Timestamp | undefined;
  /** What to show for a moment that has not come. */
  none?: string;
}

/** Moment shows how long ago something was, and when exactly on hover or focus. */
export function Moment({ at, none = "–" }: MomentProps) {
  const now = useNow();
  const zone = useZone();
  const ms = millis(at);
  if (ms === undefined) return <span className="sb-dim">{none}</span>;
  return (
    <Tooltip label={formatAbsolute(ms, zone)}>
      <time dateTime={new Date(ms).toISOString()} className="sb-num">
        {formatRelative(ms, now)}
      </time>
    </Tooltip>
  );
}

interface SpanProps {
  from: Timestamp | undefined;
  /** Without it the span is still growing. */
  to: Timestamp | undefined;
  none?: string;
}

/** Span shows how long something took, or takes so far. */
export function Span({ from, to, none = "–" }: SpanProps) {
  const start = millis(from);
  const end = millis(to);
  const now = useNow(end !== undefined);
  if (start === undefined) return <span className="sb-dim">{none}</span>;
  return <span className="sb-num">{formatDuration((end ?? now) - start)}</span>;
}
