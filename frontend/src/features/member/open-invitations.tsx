import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Moment } from "@/components/ui/moment";
import { Section } from "@/components/ui/page";
import { Table } from "@/components/ui/table";
import { MemberService } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { useInvalidate } from "@/rpc/invalidate";

/** OpenInvitations lists who was invited and has not come yet; nothing when nobody was. */
export function OpenInvitations() {
  const query = useQuery(MemberService.method.listInvitations, {});
  const invalidate = useInvalidate();
  const revoke = useMutation(MemberService.method.revokeInvitation, {
    onSuccess: () => invalidate(MemberService.method.listInvitations),
  });
  if (query.data?.invitations.length === 0) return null;
  return (
    <Section title="Open invitations" flush>
      <Loaded query={query} loading={<Rows count={1} />}>
        {({ invitations }) => (
          <Table
            label="Open invitations"
            head={
              <>
                <th>E-mail</th>
                <th>Role</th>
                <th>Workspace</th>
                <th>Invited by</th>
                <th>Until</th>
                <th aria-label="Actions" />
              </>
            }
          >
            {invitations.map((invitation) => (
              <tr key={invitation.id}>
                <td>{invitation.email}</td>
                <td>{invitation.role}</td>
                <td>
                  {invitation.workspaceRole?.role
                    ? `${invitation.workspaceRole.workspaceSlug}: ${invitation.workspaceRole.role}`
                    : "–"}
                </td>
                <td>{invitation.invitedBy}</td>
                <td>
                  <Moment at={invitation.expiresAt} />
                </td>
                <td data-tight>
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    color="red"
                    loading={revoke.isPending && revoke.variables?.id === invitation.id}
                    aria-label={`Withdraw the invitation of ${invitation.email}`}
                    onClick={() => revoke.mutate({ id: invitation.id })}
                  >
                    Withdraw
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Loaded>
    </Section>
  );
}
