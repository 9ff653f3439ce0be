import { useState } from "react";
import { Icon } from "@/components/ui/icon";
import { Moment } from "@/components/ui/moment";
import { type Look, StateMark } from "@/components/ui/state-mark";
import { Table } from "@/components/ui/table";
import type { AuditEntry } from "@/gen/signalbox/tenancy/v1/organization_pb";
import classes from "./audit.module.css";
import { hexOf } from "./hex";

/** AuditTable lists entries, the newest first; each opens to everything it holds. */
export function AuditTable({ entries }: { entries: readonly AuditEntry[] }) {
  const [open, setOpen] = useState<bigint>();
  return (
    <Table
      label="Audit log"
      head={
        <>
          <th data-num>No.</th>
          <th>When</th>
          <th>Who</th>
          <th>Did</th>
          <th>To</th>
          <th>Outcome</th>
          <th>From</th>
          <th aria-label="Details" />
        </>
      }
    >
      {entries.map((entry) => {
        const isOpen = entry.seq === open;
        return [
          <tr key={entry.seq.toString()}>
            <td data-num className="sb-dim">
              {entry.seq.toString()}
            </td>
            <td className={classes.when}>
              <Moment at={entry.at} />
            </td>
            <td>
              {entry.actorName || entry.actorId}{" "}
              {entry.actorType !== "user" && <span className="sb-dim">({entry.actorType})</span>}
            </td>
            <td className="sb-mono">{entry.action}</td>
            <td>{entry.resource}</td>
            <td>
              <StateMark look={lookOf(entry.outcome)} kind="inline" size="sm" />
            </td>
            <td className="sb-mono sb-dim">{entry.ip}</td>
            <td data-tight>
              <button
                type="button"
                className={classes.more}
                aria-expanded={isOpen}
                aria-label={`Details of entry ${entry.seq}`}
                onClick={() => setOpen(isOpen ? undefined : entry.seq)}
              >
                <Icon name={isOpen ? "chevronDown" : "chevronRight"} size={15} />
              </button>
            </td>
          </tr>,
          isOpen && (
            <tr key={`${entry.seq}-details`}>
              <td colSpan={8} className={classes.details}>
                <Details entry={entry} />
              </td>
            </tr>
          ),
        ];
      })}
    </Table>
  );
}

function Details({ entry }: { entry: AuditEntry }) {
  const facts: [string, string][] = [
    ["Actor", entry.actorId],
    ["Workspace", entry.workspaceId],
    ["Request", entry.requestId],
    ["Detail", entry.detail],
    ["Hash", hexOf(entry.hash)],
  ];
  return (
    <dl className={classes.facts}>
      {facts
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="sb-mono">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function lookOf(outcome: string): Look {
  if (outcome === "denied") return { label: "Denied", tone: "bad", icon: "shieldX" };
  if (outcome === "ok" || outcome === "success" || outcome === "")
    return { label: "Done", tone: "good", icon: "check" };
  return { label: outcome, tone: "neutral", icon: "info" };
}
