import { Id } from "@/components/ui/copy";
import { Labels } from "@/components/ui/labels";
import { TextLink } from "@/components/ui/link";
import { Moment, Span } from "@/components/ui/moment";
import { usePlace } from "@/features/tenancy/place";
import type { Run } from "@/gen/signalbox/run/v1/run_pb";
import classes from "./run.module.css";

/** RunFacts is what stands under a run's title. */
export function RunFacts({ run }: { run: Run }) {
  const place = usePlace();
  return (
    <dl className={classes.facts}>
      <div>
        <dt>Took</dt>
        <dd>
          <Span from={run.startedAt} to={run.finishedAt} />
        </dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Moment at={run.startedAt ?? run.createdAt} /> by {run.actor || run.cause}
        </dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd>
          <TextLink
            to="/o/$org/w/$ws/pipelines/$name"
            params={{ ...place, name: run.pipeline }}
            search={{ version: run.version, view: "source" }}
            className="sb-mono"
          >
            {run.version.slice(0, 12)}
          </TextLink>
        </dd>
      </div>
      {run.parent && (
        <div>
          <dt>Part of</dt>
          <dd>
            <TextLink to="/o/$org/w/$ws/runs/$runId" params={{ ...place, runId: run.parent.runId }}>
              {run.parent.pipeline}#{String(run.parent.number)}
            </TextLink>
            , task {run.parent.task}
          </dd>
        </div>
      )}
      {run.generation > 1 && (
        <div>
          <dt>Generation</dt>
          <dd>{run.generation}: retried</dd>
        </div>
      )}
      {Object.keys(run.labels).length > 0 && (
        <div>
          <dt>Labels</dt>
          <dd>
            <Labels labels={run.labels} />
          </dd>
        </div>
      )}
      <div>
        <dt>Id</dt>
        <dd>
          <Id id={run.id} what="run id" short />
        </dd>
      </div>
    </dl>
  );
}
