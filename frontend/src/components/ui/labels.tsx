import { sortedEntries } from "@/format/labels";
import classes from "./labels.module.css";

interface LabelsProps {
  labels: Record<string, string>;
  most?: number;
}

/** Labels shows `key=value` pairs as chips, in the order of their keys. */
export function Labels({ labels, most = 6 }: LabelsProps) {
  const entries = sortedEntries(labels);
  if (entries.length === 0) return null;
  const rest = entries.length - most;
  return (
    <span className={classes.labels}>
      {entries.slice(0, most).map(([key, value]) => (
        <span key={key} className={classes.label}>
          <span className={classes.key}>{key}</span>
          {value}
        </span>
      ))}
      {rest > 0 && <span className="sb-dim">+{rest}</span>}
    </span>
  );
}
