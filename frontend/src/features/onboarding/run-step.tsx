import { useQuery } from "@connectrpc/connect-query";
import { Command } from "@/components/ui/copy";
import { Icon } from "@/components/ui/icon";
import { ButtonLink } from "@/components/ui/link";
import { usePlace } from "@/features/tenancy/place";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import classes from "./checklist.module.css";

/** RunStep leads to the form that starts a run of the first pipeline. */
export function RunStep() {
  const place = usePlace();
  const { data } = useQuery(PipelineService.method.listPipelines, {});
  const name = data?.pipelines[0]?.name;
  if (!name) return null;
  return (
    <>
      <p className={classes.text}>
        Its params are sealed in this browser before they leave it. Then watch it live, logs included.
      </p>
      <div className={classes.stack}>
        <div className={classes.row}>
          <ButtonLink
            to="/o/$org/w/$ws/pipelines/$name"
            params={{ ...place, name }}
            search={{ start: "new" }}
            leftSection={<Icon name="run" size={15} />}
          >
            Start {name}
          </ButtonLink>
          <span className="sb-dim">or</span>
        </div>
        <Command command={`signalbox run start ${name} --watch`} what="run command" />
      </div>
    </>
  );
}
