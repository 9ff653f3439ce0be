import { useQuery } from "@connectrpc/connect-query";
import { SegmentedControl, Tooltip } from "@mantine/core";
import { useState } from "react";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Section } from "@/components/ui/page";
import { daysOf, monthName } from "@/format/month";
import { UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import { type Bar, barsOf, formatQuantity, isMeter, type MeterName, meterNames, meters } from "./meter";
import classes from "./usage.module.css";

/** DayChart shows a month of one meter, a bar for each day. */
export function DayChart({ month }: { month: string }) {
  const [meter, setMeter] = useState<MeterName>("task_ms");
  const query = useQuery(UsageService.method.getUsage, { month, by: "day" });
  return (
    <Section
      title="By day"
      note="Days are UTC."
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Meter"
          data={meters.map((value) => ({ value, label: meterNames[value] }))}
          value={meter}
          onChange={(value) => isMeter(value) && setMeter(value)}
        />
      }
    >
      <Loaded query={query} loading={<Rows count={1} height={180} />}>
        {({ groups }) => <Bars bars={barsOf(daysOf(month), groups, meter)} meter={meter} month={month} />}
      </Loaded>
    </Section>
  );
}

function Bars({ bars, meter, month }: { bars: readonly Bar[]; meter: MeterName; month: string }) {
  const highest = bars.find(({ share }) => share === 1);
  return (
    <figure className={classes.chart} aria-label={`${meterNames[meter]} by day in ${monthName(month)}`}>
      <div className={classes.top} aria-hidden="true">
        {highest ? formatQuantity(meter, highest.quantity) : ""}
      </div>
      <ol className={classes.bars}>
        {bars.map(({ key, quantity, share }) => (
          <Tooltip key={key} label={`${key}: ${formatQuantity(meter, quantity)}`}>
            <li className={classes.day}>
              <span
                className={classes.column}
                style={{ height: `${100 * share}%` }}
                data-empty={quantity === 0n || undefined}
              />
              <span className="sb-hidden">
                {key}: {formatQuantity(meter, quantity)}
              </span>
            </li>
          </Tooltip>
        ))}
      </ol>
      <div className={classes.days} aria-hidden="true">
        {bars.map(({ key }, i) => (
          <span key={key}>{i === 0 || (i + 1) % 5 === 0 ? Number(key.slice(8)) : ""}</span>
        ))}
      </div>
    </figure>
  );
}
