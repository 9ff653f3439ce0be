import { Notice } from "@/components/ui/notice";
import type { Explanation } from "@/gen/signalbox/run/v1/explain_pb";
import classes from "./explain.module.css";
import { groupSame, stuckOf } from "./waiting";
import { Why } from "./why";

const MOST = 3;

interface StuckNoticeProps {
  explanations: readonly Explanation[];
  onSelect: (task: string) => void;
}

/** StuckNotice says what keeps a run from going on until somebody does something; nothing where nothing does. */
export function StuckNotice({ explanations, onSelect }: StuckNoticeProps) {
  const groups = groupSame(stuckOf(explanations));
  if (groups.length === 0) return null;
  return (
    <section aria-label="What holds it up" className={classes.stuck}>
      {groups.slice(0, MOST).map(({ first, tasks }) => (
        <Notice key={first.text} tone="wait" icon="hourglass">
          <div className={classes.line}>
            <span>
              <button type="button" className={classes.task} onClick={() => onSelect(first.task)}>
                {first.task}
              </button>
              {tasks.length > 1 && ` and ${tasks.length - 1} more`}:
            </span>
            <Why explained={first} />
          </div>
        </Notice>
      ))}
    </section>
  );
}
