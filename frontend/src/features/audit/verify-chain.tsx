import { skipToken, useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Icon } from "@/components/ui/icon";
import { Notice } from "@/components/ui/notice";
import { plural } from "@/format/count";
import { AuditService, type VerifyAuditResponse } from "@/gen/signalbox/tenancy/v1/organization_pb";
import { faultOf } from "@/rpc/fault";
import { hexOf } from "./hex";

/** VerifyChain recomputes the hashes on request and says whether the log is whole. */
export function VerifyChain() {
  const [asked, setAsked] = useState(false);
  const query = useQuery(AuditService.method.verifyAudit, asked ? {} : skipToken, { gcTime: 0, staleTime: 0 });
  const button = (
    <Button
      size="compact-sm"
      variant="default"
      loading={query.isFetching}
      leftSection={<Icon name="shield" size={14} />}
      onClick={() => (asked ? query.refetch() : setAsked(true))}
    >
      {query.data ? "Verify again" : "Verify the chain"}
    </Button>
  );
  if (query.error) {
    return (
      <Notice tone="bad" icon="warning" actions={button} urgent>
        {faultOf(query.error).text}
      </Notice>
    );
  }
  if (!query.data) {
    return (
      <Notice tone="neutral" icon="shield" actions={button}>
        An entry that was changed or taken out breaks every hash after it.
      </Notice>
    );
  }
  return <Result data={query.data} button={button} />;
}

function Result({ data, button }: { data: VerifyAuditResponse; button: ReactNode }) {
  if (!data.intact) {
    return (
      <Notice tone="bad" icon="shieldX" actions={button} urgent>
        The chain breaks at entry {data.brokenAt.toString()}: this entry, or one before it, is not what was written.
      </Notice>
    );
  }
  return (
    <Notice tone="good" icon="shield" actions={button}>
      Intact: {plural(data.entries, "entry", "entries")}, head{" "}
      <span className="sb-mono">{hexOf(data.head).slice(0, 16)}</span>.
    </Notice>
  );
}
