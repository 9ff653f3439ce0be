import { Copy } from "@/components/ui/copy";
import type { Explanation } from "@/gen/signalbox/run/v1/explain_pb";
import classes from "./explain.module.css";
import { sentenceOf } from "./waiting";

/** Why is one explanation: the sentence, and the command that does something about it. */
export function Why({ explained }: { explained: Explanation }) {
  return (
    <>
      <span>{sentenceOf(explained)}</span>
      {explained.hint && (
        <span className={classes.hint}>
          <code className={classes.command}>{explained.hint}</code>
          <Copy value={explained.hint} what="command" />
        </span>
      )}
    </>
  );
}
