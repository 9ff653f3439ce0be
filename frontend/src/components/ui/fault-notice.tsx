import { faultOf } from "@/rpc/fault";
import { Notice } from "./notice";

interface FaultNoticeProps {
  error: unknown;
}

/** FaultNotice shows why what the reader just asked for was refused. */
export function FaultNotice({ error }: FaultNoticeProps) {
  if (error === null || error === undefined) return null;
  const fault = faultOf(error);
  return (
    <Notice tone="bad" icon="warning" urgent>
      {fault.text}
      {fault.violations.length > 0 && (
        <ul style={{ margin: "6px 0 0", paddingLeft: 18 }}>
          {fault.violations.map((v) => (
            <li key={`${v.path}${v.text}`}>
              {v.path && <code className="sb-mono">{v.path}</code>} {v.text}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
