import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import type { MockPipeline } from "./plans";
import { mockId } from "./random";
import { notFound, pause, refuse } from "./refuse";
import type { World } from "./world";

const te = new TextEncoder();

export function pipelineRoutes(router: ConnectRouter, world: World): void {
  const find = (name: string) => {
    const known = world.pipelines.find(({ pipeline }) => pipeline.name === name);
    if (!known) throw notFound();
    return known;
  };
  const show = ({ pipeline, deployed }: World["pipelines"][number]) => ({
    id: mockId("pipe", pipeline.name.length),
    name: pipeline.name,
    deployedVersion: pipeline.digests[deployed] ?? "",
    versions: pipeline.digests.length,
    createdAt: timestampFromMs(world.startedAt - 40 * 86_400_000),
    updatedAt: timestampFromMs(world.startedAt - pipeline.name.length * 7_300_000),
  });
  const version = (known: World["pipelines"][number], digest: string) => {
    const i = known.pipeline.digests.indexOf(digest);
    return {
      digest,
      createdAt: timestampFromMs(world.startedAt - (i + 1) * 5 * 86_400_000),
      createdBy: i === 0 ? "github-actions" : "Mara Lindqvist",
      filename: `${known.pipeline.name}.yaml`,
      deployed: i === known.deployed,
    };
  };
  router.service(PipelineService, {
    listPipelines: async () => {
      await pause(90);
      return { pipelines: world.pipelines.map(show) };
    },
    getPipeline: ({ name }) => ({ pipeline: show(find(name)) }),
    listVersions: ({ pipeline }) => {
      const known = find(pipeline);
      return { versions: known.pipeline.digests.map((digest) => version(known, digest)) };
    },
    getVersion: ({ pipeline, digest }) => {
      const known = find(pipeline);
      const full =
        digest === ""
          ? known.pipeline.digests[known.deployed]
          : known.pipeline.digests.find((each) => each.startsWith(digest));
      if (!full) throw notFound();
      return {
        version: version(known, full),
        source: te.encode(known.pipeline.source),
        plan: te.encode(JSON.stringify(planOf(known.pipeline))),
      };
    },
    deployVersion: ({ pipeline, digest }) => {
      const known = find(pipeline);
      known.deployed = Math.max(0, known.pipeline.digests.indexOf(digest));
      return { pipeline: show(known) };
    },
    applyPipeline: () => {
      throw refuse(Reason.UNAVAILABLE, Code.Unavailable, "the mock compiles nothing");
    },
    validatePipeline: () => ({}),
  });
}

function planOf(pipeline: MockPipeline) {
  return {
    format: "signalbox.plan/v1",
    name: pipeline.name,
    pool: pipeline.pool,
    labels: pipeline.labels,
    params: pipeline.params,
    tasks: pipeline.tasks.map(({ seconds: _, ...task }) => task),
  };
}
