import { Copy } from "@/components/ui/copy";
import { around, type Change, diffLines } from "./diff";
import classes from "./source.module.css";
import { tokenize } from "./yaml";

interface SourceViewProps {
  source: string;
  filename: string;
}

/** SourceView shows a pipeline file as it was applied. */
export function SourceView({ source, filename }: SourceViewProps) {
  const lines = source.replace(/\n$/, "").split("\n");
  return (
    <div className={classes.source}>
      <div className={classes.bar}>
        <span className="sb-mono">{filename}</span>
        <Copy value={source} what="source" />
      </div>
      <pre className={classes.code}>
        {lines.map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of a version never move.
          <Line key={i} text={line} number={i + 1} />
        ))}
      </pre>
    </div>
  );
}

function Line({ text, number, kind }: { text: string; number: number | undefined; kind?: Change["kind"] }) {
  return (
    <code className={classes.line} data-kind={kind}>
      <span className={classes.number} aria-hidden="true">
        {number}
      </span>
      {kind && (
        <span className={classes.sign}>
          {{ same: " ", added: "+", removed: "−" }[kind]}
          <span className="sb-hidden">{kind === "same" ? "" : kind}</span>
        </span>
      )}
      <span>
        {tokenize(text).map((token, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: tokens of a line never move.
          <span key={i} data-role={token.role}>
            {token.text}
          </span>
        ))}
        {"\n"}
      </span>
    </code>
  );
}

const CONTEXT = 3;

/** DiffView shows what one version changed in another. */
export function DiffView({ before, after }: { before: string; after: string }) {
  const changes = diffLines(before, after);
  if (changes.every(({ kind }) => kind === "same")) {
    return <p className={classes.same}>The two files are the same.</p>;
  }
  return (
    <pre className={classes.code}>
      {around(changes, CONTEXT).map((change, i) =>
        change ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of two versions never move.
          <Line key={i} text={change.text} number={change.after ?? change.before} kind={change.kind} />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above.
          <code key={i} className={classes.gap}>
            ⋯
          </code>
        ),
      )}
    </pre>
  );
}
