import { useQuery } from "@connectrpc/connect-query";
import { ActionIcon, Group } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Icon } from "@/components/ui/icon";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Moment } from "@/components/ui/moment";
import { useNow } from "@/components/ui/now";
import { Page } from "@/components/ui/page";
import { Breakdown } from "@/features/usage/breakdown";
import { DayChart } from "@/features/usage/day-chart";
import { Invoice } from "@/features/usage/invoice";
import { formatQuantity, meterNames, meters, quantityOf } from "@/features/usage/meter";
import classes from "@/features/usage/usage.module.css";
import { addMonths, monthName, monthOf } from "@/format/month";
import { UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import type { UsageSearch } from "./organization";

const route = getRouteApi("/in/o/$org/usage");

export function UsagePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const current = monthOf(useNow());
  const month = search.month ?? current;
  const set = (change: UsageSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });
  const go = (by: number) => {
    const next = addMonths(month, by);
    set({ month: next === current ? undefined : next, line: undefined, run: undefined });
  };
  return (
    <Page
      title={`Usage, ${monthName(month)}`}
      note="What runs used, and what it costs. Months and days are UTC."
      actions={
        <Group gap={4}>
          <ActionIcon variant="default" size={34} aria-label="The month before" onClick={() => go(-1)}>
            <Icon name="chevronLeft" />
          </ActionIcon>
          <ActionIcon
            variant="default"
            size={34}
            aria-label="The month after"
            disabled={month >= current}
            onClick={() => go(1)}
          >
            <Icon name="chevronRight" />
          </ActionIcon>
        </Group>
      }
    >
      <Totals month={month} />
      <DayChart month={month} />
      <Breakdown
        month={month}
        by={search.by ?? "pipeline"}
        onChange={(by) => set({ by: by === "pipeline" ? undefined : by })}
      />
      <Invoice month={month} line={search.line} run={search.run} onOpen={(line, run) => set({ line, run })} />
    </Page>
  );
}

function Totals({ month }: { month: string }) {
  const query = useQuery(UsageService.method.getUsage, { month, by: "" });
  return (
    <Loaded query={query} loading={<Rows count={1} height={70} />}>
      {({ totals, asOf }) => (
        <>
          <dl className={classes.totals}>
            {meters.map((meter) => (
              <div key={meter}>
                <dt>{meterNames[meter]}</dt>
                <dd>
                  {meter.endsWith("_ms")
                    ? formatQuantity(meter, quantityOf(totals, meter))
                    : quantityOf(totals, meter).toLocaleString("en-US")}
                </dd>
              </div>
            ))}
          </dl>
          <span className="sb-hidden">
            As of <Moment at={asOf} />
          </span>
        </>
      )}
    </Loaded>
  );
}
