import { ActionIcon, Button, Slider } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { Icon } from "@/components/ui/icon";
import { useZone } from "@/components/ui/zone";
import { formatDuration } from "@/format/duration";
import { formatAbsolute, millis } from "@/format/time";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./history.module.css";
import { useEntry } from "./use-past";

/** How long the hand must rest before the run of that moment is asked for. */
const REST_MS = 120;

interface TimeSliderProps {
  /** The run as it stands today. */
  run: Run;
  /** The entry after which it is shown. */
  at: number;
  /** The run of that moment is on its way; another one is shown meanwhile. */
  busy: boolean;
  onChange: (at: number) => void;
  onClose: () => void;
}

/** TimeSlider goes through a run's journal, entry by entry. */
export function TimeSlider({ run, at, busy, onChange, onClose }: TimeSliderProps) {
  const last = Math.max(1, Number(run.seq));
  const [hand, setHand] = useState(Math.min(at, last));
  useEffect(() => setHand(Math.min(at, last)), [at, last]);
  const settle = useDebouncedCallback(onChange, REST_MS);
  const go = (seq: number) => {
    const next = Math.min(last, Math.max(1, seq));
    setHand(next);
    settle(next);
  };
  return (
    <section className={classes.history} aria-label="History of the run" aria-busy={busy || hand !== at}>
      <div className={classes.row}>
        <ActionIcon aria-label="The entry before" disabled={hand <= 1} onClick={() => go(hand - 1)}>
          <Icon name="chevronLeft" />
        </ActionIcon>
        <Slider
          className={classes.slider}
          min={1}
          max={last}
          value={hand}
          onChange={go}
          label={null}
          size="sm"
          thumbLabel="Entry of the journal"
        />
        <ActionIcon aria-label="The entry after" disabled={hand >= last} onClick={() => go(hand + 1)}>
          <Icon name="chevronRight" />
        </ActionIcon>
        <Button size="compact-sm" variant="default" onClick={onClose}>
          Back to now
        </Button>
      </div>
      <Told run={run} seq={hand} last={last} />
    </section>
  );
}

function Told({ run, seq, last }: { run: Run; seq: number; last: number }) {
  const entry = useEntry(run.id, seq);
  const zone = useZone();
  const at = millis(entry?.at);
  const from = millis(run.createdAt);
  return (
    <p className={classes.told} aria-live="polite">
      <span className={classes.count}>
        Entry {seq} of {last}
      </span>
      {at !== undefined && (
        <span className="sb-num sb-dim">
          {formatAbsolute(at, zone)}
          {from !== undefined && `, ${formatDuration(Math.max(0, at - from))} in`}
        </span>
      )}
      <strong>{entry?.sentence ?? "…"}</strong>
    </p>
  );
}
