import { useQuery } from "@connectrpc/connect-query";
import { Empty } from "@/components/ui/empty";
import { Loaded } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { Inbox } from "@/features/approval/inbox";
import { ApprovalService } from "@/gen/signalbox/run/v1/approval_pb";

const REFRESH_MS = 3000;

export function ApprovalsPage() {
  const approvals = useQuery(ApprovalService.method.listApprovals, { pageSize: 200 }, { refetchInterval: REFRESH_MS });
  return (
    <Page
      title="Approvals"
      note="Runs that wait for somebody to say yes, over all pipelines, the longest waiting first. The first no ends a wait."
      wide
    >
      <Section flush>
        <Loaded query={approvals}>
          {(data) =>
            data.approvals.length === 0 ? (
              <Empty icon="circleCheck" title="Nothing waits for anybody">
                A task with `approve` holds its run here until as many people agree as it asks for.
              </Empty>
            ) : (
              <Inbox approvals={data.approvals} />
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
