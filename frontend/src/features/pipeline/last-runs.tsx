import { skipToken, useQuery } from "@connectrpc/connect-query";
import { Tooltip } from "@mantine/core";
import { useInViewport } from "@mantine/hooks";
import type { CSSProperties } from "react";
import { Icon } from "@/components/ui/icon";
import { BareLink } from "@/components/ui/link";
import { toneColor, toneFill } from "@/components/ui/tone";
import { lookOfRun } from "@/features/run/state";
import { usePlace } from "@/features/tenancy/place";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./pipeline.module.css";

const MOST = 8;

/** LastRuns shows how a pipeline's last runs ended, the newest on the right. */
export function LastRuns({ pipeline }: { pipeline: string }) {
  const place = usePlace();
  const { ref, inViewport } = useInViewport<HTMLSpanElement>();
  // One call for each pipeline on the screen, not for each in the list.
  const input = inViewport ? { pipeline, pageSize: MOST } : skipToken;
  const { data } = useQuery(RunService.method.listRuns, input, { staleTime: 10_000, placeholderData: (old) => old });
  if (!data) {
    return (
      <span ref={ref} className="sb-dim">
        …
      </span>
    );
  }
  if (data.runs.length === 0) {
    return (
      <span ref={ref} className="sb-dim">
        never ran
      </span>
    );
  }
  return (
    <span ref={ref} className={classes.lastRuns}>
      {[...data.runs].reverse().map((run) => {
        const look = lookOfRun(run);
        const style = { "--tone": toneColor(look.tone), "--fill": toneFill(look.tone) } as CSSProperties;
        const text = `#${run.number}: ${look.label}`;
        return (
          <Tooltip key={run.id} label={text}>
            <BareLink
              to="/o/$org/w/$ws/runs/$runId"
              params={{ ...place, runId: run.id }}
              className={classes.lamp}
              style={style}
              aria-label={text}
            >
              <Icon name={look.icon} size={13} className={look.moving ? "sb-spin" : undefined} />
            </BareLink>
          </Tooltip>
        );
      })}
    </span>
  );
}
