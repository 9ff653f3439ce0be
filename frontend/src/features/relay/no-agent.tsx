import { useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Notice } from "@/components/ui/notice";
import { useZone } from "@/components/ui/zone";
import { formatAbsolute, formatClock, millis } from "@/format/time";
import { PoolService } from "@/gen/signalbox/pool/v1/pool_pb";

interface NoAgentNoticeProps {
  /** The half sentence before the reason: "Logs stay with your agents". */
  what: string;
  retry: () => void;
}

/** NoAgentNotice says that nobody can open sealed data now, and when somebody last could. */
export function NoAgentNotice({ what, retry }: NoAgentNoticeProps) {
  const { data } = useQuery(PoolService.method.listAgents, {});
  const zone = useZone();
  const seen = Math.max(0, ...(data?.agents ?? []).map(({ seenAt }) => millis(seenAt) ?? 0));
  return (
    <Notice
      tone="wait"
      icon="lock"
      actions={
        <Button size="compact-xs" variant="default" onClick={retry}>
          Try again
        </Button>
      }
    >
      {what}, and none is online to send them.{" "}
      {seen > 0 && (
        <span title={formatAbsolute(seen, zone)}>
          Sealed; last agent seen{" "}
          {Date.now() - seen < 86_400_000 ? formatClock(seen, zone).slice(0, 5) : formatAbsolute(seen, zone)}.
        </span>
      )}
    </Notice>
  );
}
