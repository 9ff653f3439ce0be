import { Tooltip } from "@mantine/core";
import { useState } from "react";
import { Copy } from "@/components/ui/copy";
import { Icon, type IconName } from "@/components/ui/icon";
import { Table } from "@/components/ui/table";
import { formatBytes } from "@/format/bytes";
import { type Shown, type ShownArtifact, textOfJson } from "./shown";
import classes from "./value.module.css";

const LONG = 160;

interface ValueTableProps {
  values: readonly Shown[];
  label: string;
}

/** ValueTable lists values with their types, and says of each who may read it. */
export function ValueTable({ values, label }: ValueTableProps) {
  return (
    <Table
      label={label}
      head={
        <>
          <th>Name</th>
          <th>Type</th>
          <th className={classes.wide}>Value</th>
          <th data-num>Size</th>
        </>
      }
    >
      {values.map((value) => (
        <tr key={value.name}>
          <td data-tight>
            <span className={classes.name}>
              <Secrecy state={value.state} />
              <span className="sb-mono">{value.name}</span>
            </span>
          </td>
          <td data-tight className="sb-dim">
            {value.type}
          </td>
          <td className={classes.wide}>
            {value.state === "sealed" ? <Sealed /> : <Plain json={value.json} name={value.name} />}
          </td>
          <td data-num className="sb-dim">
            {value.size > 0 ? formatBytes(value.size) : "–"}
          </td>
        </tr>
      ))}
    </Table>
  );
}

const secrecies: Record<Shown["state"], [IconName, string]> = {
  open: ["eye", "Declared open: Signalbox may see it"],
  opened: ["lockOpen", "Sealed; opened in this browser, never on the server"],
  sealed: ["lock", "Sealed: only your agents can open it"],
};

function Secrecy({ state }: { state: Shown["state"] }) {
  const [icon, text] = secrecies[state];
  return (
    <Tooltip label={text}>
      <span className={classes.secrecy} data-state={state}>
        <Icon name={icon} size={14} label={text} />
      </span>
    </Tooltip>
  );
}

function Sealed() {
  return <span className={classes.sealed}>sealed</span>;
}

function Plain({ json, name }: { json: unknown; name: string }) {
  const text = textOfJson(json);
  const [whole, setWhole] = useState(false);
  const long = text.length > LONG;
  return (
    <span className={classes.value}>
      <span className="sb-mono">{long && !whole ? `${text.slice(0, LONG)}…` : text}</span>
      {long && (
        <button type="button" className={classes.more} onClick={() => setWhole(!whole)}>
          {whole ? "less" : "all"}
        </button>
      )}
      <Copy value={text} what={name} />
    </span>
  );
}

/** ArtifactTable lists what is too large to travel: what it is, and where it lies. */
export function ArtifactTable({ artifacts, label }: { artifacts: readonly ShownArtifact[]; label: string }) {
  return (
    <Table
      label={label}
      head={
        <>
          <th>Artifact</th>
          <th>Type</th>
          <th className={classes.wide}>Where it lies</th>
          <th data-num>Size</th>
        </>
      }
    >
      {artifacts.map((artifact) => (
        <tr key={artifact.name}>
          <td data-tight>
            <span className={classes.name}>
              <Icon name="artifact" size={14} />
              <span className="sb-mono">{artifact.name}</span>
            </span>
          </td>
          <td data-tight className="sb-dim">
            {artifact.type}
          </td>
          <td className={classes.wide}>
            {artifact.uri === undefined ? (
              <Sealed />
            ) : (
              <Plain json={artifact.uri} name={`${artifact.name}'s address`} />
            )}
          </td>
          <td data-num className="sb-dim">
            {formatBytes(artifact.size)}
          </td>
        </tr>
      ))}
    </Table>
  );
}
