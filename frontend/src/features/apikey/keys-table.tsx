import { useMutation } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "@/components/ui/confirm";
import { Moment } from "@/components/ui/moment";
import { useNow } from "@/components/ui/now";
import { StateMark } from "@/components/ui/state-mark";
import { Table } from "@/components/ui/table";
import { useMembership } from "@/features/tenancy/place";
import { type Key, KeyService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { useInvalidate } from "@/rpc/invalidate";
import { isLive, keyLook } from "./state";

/** KeysTable lists keys by what can be told of them without their secret. */
export function KeysTable({ keys }: { keys: readonly Key[] }) {
  const now = useNow();
  const { workspaces } = useMembership();
  const nameOf = (id: string) => workspaces.find(({ workspace }) => workspace?.id === id)?.workspace?.name ?? id;
  return (
    <Table
      label="API keys"
      head={
        <>
          <th data-tight>State</th>
          <th>Key</th>
          <th>May</th>
          <th>Made by</th>
          <th>Last used</th>
          <th>Expires</th>
          <th aria-label="Actions" />
        </>
      }
    >
      {keys.map((key) => (
        <tr key={key.id}>
          <td data-tight>
            <StateMark look={keyLook(key, now)} size="sm" />
          </td>
          <td>
            <strong>{key.name}</strong>
            <div className="sb-mono sb-dim">
              {key.prefix}…{key.last4}
            </div>
          </td>
          <td>
            {key.role}{" "}
            <span className="sb-dim">in {key.workspaceId ? nameOf(key.workspaceId) : "the organization"}</span>
          </td>
          <td>{key.createdBy}</td>
          <td>
            <Moment at={key.lastUsedAt} none="never" />
          </td>
          <td>
            <Moment at={key.expiresAt} none="never" />
          </td>
          <td data-tight>{isLive(key, now) && <Revoke apiKey={key} />}</td>
        </tr>
      ))}
    </Table>
  );
}

function Revoke({ apiKey }: { apiKey: Key }) {
  const [asking, setAsking] = useState(false);
  const invalidate = useInvalidate();
  const revoke = useMutation(KeyService.method.revokeKey, {
    onSuccess: async () => {
      await invalidate(KeyService.method.listKeys);
      setAsking(false);
    },
  });
  return (
    <>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        aria-label={`Revoke ${apiKey.name}`}
        onClick={() => setAsking(true)}
      >
        Revoke
      </Button>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => revoke.mutate({ id: apiKey.id })}
        title={`Revoke the key ${apiKey.name}?`}
        action="Revoke it"
        busy={revoke.isPending}
        error={revoke.error}
      >
        <p>Whatever uses it is refused from its next call on. It cannot be brought back.</p>
      </Confirm>
    </>
  );
}
