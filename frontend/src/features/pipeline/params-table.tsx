import { Icon } from "@/components/ui/icon";
import { Table } from "@/components/ui/table";
import { defaultText } from "@/features/start/draft";
import type { PlanParam } from "./plan";

/** ParamsTable lists what a run of the pipeline may be given. */
export function ParamsTable({ params }: { params: readonly PlanParam[] }) {
  if (params.length === 0) return null;
  return (
    <Table
      label="Params"
      head={
        <>
          <th>Param</th>
          <th>Type</th>
          <th>Default</th>
          <th>Who may read it</th>
          <th>What it is</th>
        </>
      }
    >
      {params.map((param) => (
        <tr key={param.name}>
          <td className="sb-mono">{param.name}</td>
          <td className="sb-dim">{param.type}</td>
          <td className="sb-mono">{param.required ? <span className="sb-dim">needed</span> : defaultText(param)}</td>
          <td>
            <Icon name={param.open ? "eye" : "lock"} size={13} /> {param.open ? "declared open" : "your agents only"}
          </td>
          <td className="sb-dim">{param.description}</td>
        </tr>
      ))}
    </Table>
  );
}
