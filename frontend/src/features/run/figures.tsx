import { useQuery } from "@connectrpc/connect-query";
import type { ReactNode } from "react";
import { BareLink } from "@/components/ui/link";
import { useNow } from "@/components/ui/now";
import { mayInOrg } from "@/features/tenancy/permission";
import { useMembership, useOrgTransport, usePlace } from "@/features/tenancy/place";
import { formatCents } from "@/format/money";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";
import { UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import classes from "./figures.module.css";
import { toRequest } from "./filter";

const MOST = 200;
const REFRESH_MS = 10_000;

/** Figures says in four numbers what happened in the last day and what the month cost. */
export function Figures() {
  const place = usePlace();
  const membership = useMembership();
  return (
    <section className={classes.figures} aria-label="The last 24 hours">
      <Count name="Failed, last 24 h" states={["failed"]} tone="bad" />
      <Count name="Running now" states={["running", "finalizing", "canceling"]} />
      <Count name="Succeeded, last 24 h" states={["succeeded"]} />
      {mayInOrg(membership, "billing.read") && (
        <Figure
          name="This month so far"
          value={<Cost />}
          link={
            <BareLink to="/o/$org/usage" params={place} className={classes.cover}>
              This month so far: usage
            </BareLink>
          }
        />
      )}
    </section>
  );
}

function Count({ name, states, tone }: { name: string; states: string[]; tone?: "bad" }) {
  const place = usePlace();
  // By the minute, so that the answer stays in the cache meanwhile.
  const minute = Math.floor(useNow() / 60_000) * 60_000;
  const { data } = useQuery(
    RunService.method.listRuns,
    { ...toRequest({ state: states }, minute), pageSize: MOST },
    { refetchInterval: REFRESH_MS, placeholderData: (before) => before },
  );
  const count = data?.runs.length ?? 0;
  const text = data === undefined ? "…" : data.nextPageToken ? `${MOST}+` : String(count);
  return (
    <Figure
      name={name}
      value={text}
      tone={count > 0 ? tone : undefined}
      link={
        <BareLink to="/o/$org/w/$ws/runs" params={place} search={{ state: states }} className={classes.cover}>
          {name}: show the runs
        </BareLink>
      }
    />
  );
}

function Cost() {
  const transport = useOrgTransport();
  const { data } = useQuery(UsageService.method.previewInvoice, {}, { transport, staleTime: 60_000 });
  if (!data) return <>…</>;
  return <>{formatCents(data.totalCents, data.currency)}</>;
}

function Figure({ name, value, tone, link }: { name: string; value: ReactNode; tone?: "bad"; link: ReactNode }) {
  return (
    <div className={classes.figure} data-tone={tone}>
      <span className={classes.value}>{value}</span>
      <span className={classes.name}>{name}</span>
      {link}
    </div>
  );
}
