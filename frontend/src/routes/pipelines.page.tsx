import { useQuery } from "@connectrpc/connect-query";
import { Badge } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Command } from "@/components/ui/copy";
import { Empty } from "@/components/ui/empty";
import { ButtonLink } from "@/components/ui/link";
import { Loaded } from "@/components/ui/loaded";
import { Moment } from "@/components/ui/moment";
import { Page, Section } from "@/components/ui/page";
import { Above, RowLink, Table } from "@/components/ui/table";
import { LastRuns } from "@/features/pipeline/last-runs";
import { PipelineService } from "@/gen/signalbox/pipeline/v1/pipeline_pb";

const route = getRouteApi("/in/o/$org/w/$ws/pipelines");

export function PipelinesPage() {
  const place = route.useParams();
  const query = useQuery(PipelineService.method.listPipelines, {});
  return (
    <Page
      title="Pipelines"
      note="Named graphs of tasks. Each apply makes an immutable version; the deployed one is what new runs follow."
    >
      <Section flush>
        <Loaded query={query}>
          {({ pipelines }) =>
            pipelines.length === 0 ? (
              <Empty
                icon="pipeline"
                title="A pipeline is one YAML file"
                next={<Command command="signalbox apply pipeline.yaml" what="apply command" />}
              >
                None was applied to this workspace yet. Write one, or take an example from the repository.
              </Empty>
            ) : (
              <Table
                label="Pipelines"
                hover
                head={
                  <>
                    <th>Pipeline</th>
                    <th>Last runs</th>
                    <th>Deployed</th>
                    <th data-num>Versions</th>
                    <th>Changed</th>
                    <th aria-label="Actions" />
                  </>
                }
              >
                {pipelines.map((pipeline) => (
                  <tr key={pipeline.id}>
                    <td>
                      <RowLink to="/o/$org/w/$ws/pipelines/$name" params={{ ...place, name: pipeline.name }}>
                        {pipeline.name}
                      </RowLink>{" "}
                      {pipeline.paused && (
                        <Badge size="sm" color="yellow" variant="light">
                          Paused
                        </Badge>
                      )}
                    </td>
                    <td>
                      <Above>
                        <LastRuns pipeline={pipeline.name} />
                      </Above>
                    </td>
                    <td className="sb-mono">
                      {pipeline.deployedVersion.slice(0, 12) || <span className="sb-dim">none</span>}
                    </td>
                    <td data-num>{pipeline.versions}</td>
                    <td>
                      <Moment at={pipeline.updatedAt} />
                    </td>
                    <td data-tight>
                      <Above>
                        <ButtonLink
                          to="/o/$org/w/$ws/pipelines/$name"
                          params={{ ...place, name: pipeline.name }}
                          search={{ start: "new" }}
                          variant="default"
                          size="compact-sm"
                          aria-label={`Start ${pipeline.name}`}
                        >
                          Start…
                        </ButtonLink>
                      </Above>
                    </td>
                  </tr>
                ))}
              </Table>
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
