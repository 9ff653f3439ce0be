import { useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Icon } from "@/components/ui/icon";
import { Loaded } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { Reasoned } from "@/components/ui/reasoned";
import { InviteMember } from "@/features/member/invite-member";
import { MembersTable } from "@/features/member/members-table";
import { OpenInvitations } from "@/features/member/open-invitations";
import { useWhyNot } from "@/features/tenancy/place";
import { MemberService } from "@/gen/signalbox/tenancy/v1/organization_pb";

export function MembersPage() {
  const query = useQuery(MemberService.method.listMembers, {});
  const [inviting, { open, close }] = useDisclosure();
  const why = useWhyNot("members.admin");
  return (
    <Page
      title="Members"
      note="Who belongs to the organization, and what each may do in its workspaces. A role can only grant what it has itself."
      actions={
        <Reasoned why={why}>
          <Button onClick={open} disabled={why !== undefined} leftSection={<Icon name="mail" size={15} />}>
            Invite somebody
          </Button>
        </Reasoned>
      }
    >
      <Section flush>
        <Loaded query={query}>{({ members }) => <MembersTable members={members} />}</Loaded>
      </Section>
      {why === undefined && <OpenInvitations />}
      <InviteMember opened={inviting} onClose={close} />
    </Page>
  );
}
