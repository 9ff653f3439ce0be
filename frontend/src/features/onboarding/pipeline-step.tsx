import { useMutation } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Command } from "@/components/ui/copy";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Icon } from "@/components/ui/icon";
import { Reasoned } from "@/components/ui/reasoned";
import { useWhyNot } from "@/features/tenancy/place";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import { useInvalidate } from "@/rpc/invalidate";
import classes from "./checklist.module.css";
import { helloSource } from "./hello";

/** PipelineStep applies the example from here, or says how to apply one's own. */
export function PipelineStep() {
  const invalidate = useInvalidate();
  const why = useWhyNot("pipelines.write");
  const apply = useMutation(PipelineService.method.applyPipeline, {
    onSuccess: () => invalidate(PipelineService.method.listPipelines),
  });
  return (
    <>
      <p className={classes.text}>
        A pipeline is one YAML file: tasks, what they need, what they leave. Apply the example from here, or your own
        from a terminal.
      </p>
      <div className={classes.stack}>
        <div className={classes.row}>
          <Reasoned why={why}>
            <Button
              disabled={why !== undefined}
              loading={apply.isPending}
              leftSection={<Icon name="deploy" size={15} />}
              onClick={() =>
                apply.mutate({
                  source: new TextEncoder().encode(helloSource),
                  filename: "examples/hello/pipeline.yaml",
                })
              }
            >
              Apply the hello example
            </Button>
          </Reasoned>
          <span className="sb-dim">or</span>
        </div>
        <Command command={`signalbox login --server ${window.location.origin}`} what="login command" />
        <Command command="signalbox apply pipeline.yaml" what="apply command" />
        <FaultNotice error={apply.error} />
      </div>
    </>
  );
}
