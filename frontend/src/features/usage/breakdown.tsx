import { useQuery } from "@connectrpc/connect-query";
import { Group, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";
import { Empty } from "@/components/ui/empty";
import { Loaded } from "@/components/ui/loaded";
import { Section } from "@/components/ui/page";
import { Table } from "@/components/ui/table";
import { UsageService } from "@/gen/signalbox/usage/v1/usage_pb";
import { formatQuantity, meters, quantityOf, rankOf } from "./meter";
import classes from "./usage.module.css";

const dimensions = ["pipeline", "pool", "workspace", "label"] as const;
const firstLabel = "team";

interface BreakdownProps {
  month: string;
  /** `pipeline`, `pool`, `workspace` or `label:<key>`. */
  by: string;
  onChange: (by: string) => void;
}

/** Breakdown shows who used how much, by one dimension. */
export function Breakdown({ month, by, onChange }: BreakdownProps) {
  const label = by.startsWith("label:") ? by.slice("label:".length) : undefined;
  const query = useQuery(UsageService.method.getUsage, { month, by }, { placeholderData: (before) => before });
  return (
    <Section
      title="Who used it"
      flush
      actions={
        <Group gap="xs">
          {label !== undefined && <LabelKey key={label} label={label} onChange={(key) => onChange(`label:${key}`)} />}
          <SegmentedControl
            size="xs"
            aria-label="By"
            data={dimensions.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }))}
            value={label === undefined ? by : "label"}
            onChange={(value) => onChange(value === "label" ? `label:${firstLabel}` : value)}
          />
        </Group>
      }
    >
      <Loaded query={query}>
        {({ groups }) =>
          groups.length === 0 ? (
            <Empty icon="usage" title="What runs use is counted here">
              Nothing was used in this month.
            </Empty>
          ) : (
            <Table
              label={`Usage by ${by}`}
              head={
                <>
                  <th>{label ?? by.charAt(0).toUpperCase() + by.slice(1)}</th>
                  <th>Share of task time</th>
                  <th data-num>Task time</th>
                  <th data-num>GPU time</th>
                  <th data-num>Attempts</th>
                  <th data-num>Runs</th>
                </>
              }
            >
              {rankOf(groups, "task_ms").map(({ key, share }) => {
                const list = groups.find((group) => group.key === key)?.meters ?? [];
                return (
                  <tr key={key}>
                    <td>{key || <span className="sb-dim">no label</span>}</td>
                    <td>
                      <span className={classes.share}>
                        <span className={classes.shareBar}>
                          <span style={{ width: `${100 * share}%` }} />
                        </span>
                        <span className="sb-num">{(100 * share).toFixed(share < 0.1 ? 1 : 0)} %</span>
                      </span>
                    </td>
                    {meters.map((meter) => (
                      <td key={meter} data-num>
                        {meter.endsWith("_ms")
                          ? formatQuantity(meter, quantityOf(list, meter))
                          : quantityOf(list, meter).toLocaleString("en-US")}
                      </td>
                    ))}
                  </tr>
                );
              })}
            </Table>
          )
        }
      </Loaded>
    </Section>
  );
}

function LabelKey({ label, onChange }: { label: string; onChange: (label: string) => void }) {
  const [text, setText] = useState(label);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") onChange(text.trim());
      }}
    >
      <TextInput
        size="xs"
        w={130}
        aria-label="Label key"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={() => text.trim() !== "" && text.trim() !== label && onChange(text.trim())}
      />
    </form>
  );
}
