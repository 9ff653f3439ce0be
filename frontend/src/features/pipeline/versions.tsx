import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Button, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Id } from "@/components/ui/copy";
import { FaultNotice } from "@/components/ui/fault-notice";
import { TextLink } from "@/components/ui/link";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Moment } from "@/components/ui/moment";
import { Reasoned } from "@/components/ui/reasoned";
import { type Look, StateMark } from "@/components/ui/state-mark";
import { Table } from "@/components/ui/table";
import { usePlace, useWhyNot } from "@/features/tenancy/place";
import { PipelineService, type Version } from "@/gen/signalbox/pipeline/v1/pipeline_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { DiffView } from "./source-view";

interface VersionsProps {
  pipeline: string;
  /** Digest of the deployed version; empty when none is. */
  deployed: string;
}

const deployedLook: Look = { label: "Deployed", tone: "good", icon: "deploy" };

/** Versions lists what was applied, the newest first; deploying an old one is rolling back. */
export function Versions({ pipeline, deployed }: VersionsProps) {
  const query = useQuery(PipelineService.method.listVersions, { pipeline });
  const invalidate = useInvalidate();
  const why = useWhyNot("pipelines.write");
  const deploy = useMutation(PipelineService.method.deployVersion, {
    onSuccess: () =>
      invalidate(
        PipelineService.method.getPipeline,
        PipelineService.method.listVersions,
        PipelineService.method.getVersion,
        PipelineService.method.listPipelines,
      ),
  });
  return (
    <>
      <FaultNotice error={deploy.error} />
      <Loaded query={query}>
        {({ versions }) => (
          <Table
            label="Versions"
            head={
              <>
                <th>Version</th>
                <th>Applied</th>
                <th>By</th>
                <th>File</th>
                <th aria-label="Actions" />
              </>
            }
          >
            {versions.map((version) => (
              <VersionRow
                key={version.digest}
                pipeline={pipeline}
                version={version}
                deployed={deployed}
                action={
                  <Reasoned why={why}>
                    <Button
                      size="compact-sm"
                      variant="default"
                      disabled={why !== undefined}
                      loading={deploy.isPending && deploy.variables?.digest === version.digest}
                      onClick={() => deploy.mutate({ pipeline, digest: version.digest })}
                    >
                      Deploy
                    </Button>
                  </Reasoned>
                }
              />
            ))}
          </Table>
        )}
      </Loaded>
    </>
  );
}

interface VersionRowProps {
  pipeline: string;
  version: Version;
  deployed: string;
  action: ReactNode;
}

function VersionRow({ pipeline, version, deployed, action }: VersionRowProps) {
  const place = usePlace();
  const [comparing, { open, close }] = useDisclosure();
  return (
    <tr>
      <td>
        <TextLink
          to="/o/$org/w/$ws/pipelines/$name"
          params={{ ...place, name: pipeline }}
          search={{ version: version.digest, view: "source" }}
          aria-label={`Source of ${version.digest.slice(0, 12)}`}
        >
          <Id id={version.digest.slice(0, 12)} what="version" />
        </TextLink>
      </td>
      <td>
        <Moment at={version.createdAt} />
      </td>
      <td>{version.createdBy}</td>
      <td className="sb-mono">{version.filename}</td>
      <td data-tight>
        {version.deployed ? (
          <StateMark look={deployedLook} size="sm" />
        ) : (
          <>
            {deployed && (
              <Button size="compact-sm" variant="subtle" color="gray" mr={6} onClick={open}>
                Compare
              </Button>
            )}
            {action}
          </>
        )}
        <Modal
          opened={comparing}
          onClose={close}
          size="xl"
          title={`${version.digest.slice(0, 12)} against the deployed version`}
        >
          {comparing && <Compare pipeline={pipeline} before={deployed} after={version.digest} />}
        </Modal>
      </td>
    </tr>
  );
}

function Compare({ pipeline, before, after }: { pipeline: string; before: string; after: string }) {
  const a = useQuery(PipelineService.method.getVersion, { pipeline, digest: before });
  const b = useQuery(PipelineService.method.getVersion, { pipeline, digest: after });
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return (
    <Loaded query={a} loading={<Rows />}>
      {(old) => (
        <Loaded query={b} loading={<Rows />}>
          {(fresh) => <DiffView before={text(old.source)} after={text(fresh.source)} />}
        </Loaded>
      )}
    </Loaded>
  );
}
