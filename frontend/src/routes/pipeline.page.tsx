import { useQuery } from "@connectrpc/connect-query";
import { Button, Tabs } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Icon } from "@/components/ui/icon";
import { TextLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Notice } from "@/components/ui/notice";
import { Page, Section } from "@/components/ui/page";
import { Reasoned } from "@/components/ui/reasoned";
import { LazyGraph } from "@/features/graph/lazy";
import { ParamsTable } from "@/features/pipeline/params-table";
import { PipelineRuns } from "@/features/pipeline/pipeline-runs";
import { type Plan, parsePlan, planGraph } from "@/features/pipeline/plan";
import { SourceView } from "@/features/pipeline/source-view";
import { Versions } from "@/features/pipeline/versions";
import { useShortcuts } from "@/features/shell/shortcut";
import { StartDialog } from "@/features/start/start-dialog";
import { useWhyNot } from "@/features/tenancy/place";
import { type GetVersionResponse, PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import type { PipelineSearch } from "./pipelines";

const route = getRouteApi("/in/o/$org/w/$ws/pipelines/$name");

export function PipelinePage() {
  const { name, ...place } = route.useParams();
  const { view = "graph", version: digest = "", start } = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: PipelineSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });
  const pipeline = useQuery(PipelineService.method.getPipeline, { name });
  const deployed = pipeline.data?.pipeline?.deployedVersion ?? "";
  const version = useQuery(PipelineService.method.getVersion, { pipeline: name, digest });
  const plan = version.data && parsePlan(version.data.plan);
  const why = useWhyNot("runs.write");
  const open = () => set({ start: "new" });
  useShortcuts(why ? [] : [{ keys: "s", what: "Start a run", run: open }]);
  return (
    <Page
      title={name}
      wide
      trail={
        <TextLink to="/o/$org/w/$ws/pipelines" params={place}>
          Pipelines
        </TextLink>
      }
      note={
        deployed ? (
          <>
            Deployed: <span className="sb-mono">{deployed.slice(0, 12)}</span>
          </>
        ) : (
          "No version is deployed."
        )
      }
      actions={
        <Reasoned why={why}>
          <Button onClick={open} disabled={why !== undefined} leftSection={<Icon name="run" size={15} />}>
            Start a run…
          </Button>
        </Reasoned>
      }
    >
      {digest !== "" && deployed !== "" && digest !== deployed && (
        <Notice
          tone="wait"
          icon="history"
          actions={
            <Button size="compact-xs" variant="default" onClick={() => set({ version: undefined })}>
              Go to the deployed version
            </Button>
          }
        >
          You look at <span className="sb-mono">{digest.slice(0, 12)}</span>, which is not the deployed version.
          {start && " The run will follow the version you look at."}
        </Notice>
      )}
      <Section flush>
        <Tabs
          value={view}
          onChange={(value) => set({ view: value === "graph" ? undefined : (value as PipelineSearch["view"]) })}
          keepMounted={false}
        >
          <Tabs.List px="sm">
            <Tabs.Tab value="graph" leftSection={<Icon name="graph" size={14} />}>
              Graph
            </Tabs.Tab>
            <Tabs.Tab value="source" leftSection={<Icon name="source" size={14} />}>
              Source
            </Tabs.Tab>
            <Tabs.Tab value="versions" leftSection={<Icon name="history" size={14} />}>
              Versions
            </Tabs.Tab>
            <Tabs.Tab value="runs" leftSection={<Icon name="run" size={14} />}>
              Runs
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="graph">
            <Loaded query={version} loading={<Rows count={3} />}>
              {() => plan && <PlanView plan={plan} />}
            </Loaded>
          </Tabs.Panel>
          <Tabs.Panel value="source">
            <Loaded query={version} loading={<Rows count={10} height={18} />}>
              {(data) => <Source data={data} />}
            </Loaded>
          </Tabs.Panel>
          <Tabs.Panel value="versions" pt="xs">
            <Versions pipeline={name} deployed={deployed} />
          </Tabs.Panel>
          <Tabs.Panel value="runs" pt="xs">
            <PipelineRuns pipeline={name} />
          </Tabs.Panel>
        </Tabs>
      </Section>
      <StartDialog plan={plan} version={digest} from={start} onClose={() => set({ start: undefined })} />
    </Page>
  );
}

function PlanView({ plan }: { plan: Plan }) {
  return (
    <>
      <LazyGraph tasks={planGraph(plan)} selected={undefined} onSelect={() => undefined} />
      <ParamsTable params={plan.params} />
    </>
  );
}

function Source({ data }: { data: GetVersionResponse }) {
  return (
    <SourceView source={new TextDecoder().decode(data.source)} filename={data.version?.filename || "pipeline.yaml"} />
  );
}
