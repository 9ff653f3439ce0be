import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Notice } from "@/components/ui/notice";
import { NoAgentNotice } from "@/features/relay/no-agent";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { faultOf, hasReason } from "@/rpc/fault";
import { SealError } from "@/seal";
import type { OpenedValues } from "./use-values";

interface OpenedNoticeProps {
  query: UseQueryResult<OpenedValues>;
  /** Nothing is sealed, so nobody needs to open anything. */
  needed: boolean;
}

/** OpenedNotice says who opened the sealed values, or why nobody did. */
export function OpenedNotice({ query, needed }: OpenedNoticeProps) {
  if (!needed) return null;
  if (query.data) {
    return (
      <Notice tone="good" icon="lockOpen">
        Sent by {query.data.agent} and opened in this browser. The server passed on what it cannot read.
      </Notice>
    );
  }
  if (!query.error) {
    return (
      <Notice tone="neutral" icon="lock">
        Asking an agent to open the sealed values…
      </Notice>
    );
  }
  const retry = () => void query.refetch();
  if (hasReason(query.error, Reason.NO_AGENT_ONLINE))
    return <NoAgentNotice what="Only your agents hold the key" retry={retry} />;
  if (hasReason(query.error, Reason.PERMISSION_DENIED)) {
    return (
      <Notice tone="neutral" icon="lock">
        Your role may not read the data of runs (data.read).
      </Notice>
    );
  }
  const text = query.error instanceof SealError ? query.error.message : faultOf(query.error).text;
  return (
    <Notice
      tone="bad"
      icon="warning"
      actions={
        <Button size="compact-xs" variant="default" onClick={retry}>
          Try again
        </Button>
      }
    >
      {text}
    </Notice>
  );
}
