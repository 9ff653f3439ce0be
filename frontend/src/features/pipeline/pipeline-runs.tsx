import { useQuery } from "@connectrpc/connect-query";
import { Empty } from "@/components/ui/empty";
import { TextLink } from "@/components/ui/link";
import { Loaded } from "@/components/ui/loaded";
import { RunsTable } from "@/features/run/runs-table";
import { usePlace } from "@/features/tenancy/place";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./pipeline.module.css";

const MOST = 20;
const REFRESH_MS = 4000;

/** PipelineRuns lists a pipeline's last runs. */
export function PipelineRuns({ pipeline }: { pipeline: string }) {
  const place = usePlace();
  const query = useQuery(RunService.method.listRuns, { pipeline, pageSize: MOST }, { refetchInterval: REFRESH_MS });
  return (
    <Loaded query={query}>
      {({ runs, nextPageToken }) =>
        runs.length === 0 ? (
          <Empty icon="run" title="Runs of this pipeline appear here">
            It never ran. Press s to start it.
          </Empty>
        ) : (
          <>
            <RunsTable runs={runs} label={`Runs of ${pipeline}`} compact />
            {nextPageToken && (
              <p className={classes.params}>
                <TextLink to="/o/$org/w/$ws/runs" params={place} search={{ pipeline, window: "all" }}>
                  All runs of {pipeline}
                </TextLink>
              </p>
            )}
          </>
        )
      }
    </Loaded>
  );
}
