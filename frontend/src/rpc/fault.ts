import { Code, ConnectError } from "@connectrpc/connect";
import { DetailSchema, Reason, type Violation } from "@/gen/signalbox/fault/v1/fault_pb";

/** Fault is an error as a person may see it. */
export interface Fault {
  /** The machine's name, such as `RUN_TERMINAL`; screens switch on it. */
  reason: Reason;
  name: string;
  text: string;
  violations: Violation[];
  /** Whether asking again may help. */
  retryable: boolean;
}

const byCode: Partial<Record<Code, Reason>> = {
  [Code.Unauthenticated]: Reason.UNAUTHENTICATED,
  [Code.PermissionDenied]: Reason.PERMISSION_DENIED,
  [Code.NotFound]: Reason.NOT_FOUND,
  [Code.InvalidArgument]: Reason.INVALID_ARGUMENT,
  [Code.AlreadyExists]: Reason.ALREADY_EXISTS,
  [Code.Aborted]: Reason.CONFLICT,
  [Code.Unavailable]: Reason.UNAVAILABLE,
  [Code.ResourceExhausted]: Reason.QUOTA_EXCEEDED,
};

/** faultOf reads any error that a call or our own code threw. */
export function faultOf(error: unknown): Fault {
  const connect = ConnectError.from(error);
  const detail = connect.findDetails(DetailSchema)[0];
  const reason =
    detail?.reason || (unreachable(connect) ? Reason.UNAVAILABLE : (byCode[connect.code] ?? Reason.INTERNAL));
  return {
    reason,
    name: Reason[reason] ?? "INTERNAL",
    text: sentence(reason, connect.rawMessage),
    violations: detail?.violations ?? [],
    retryable: reason === Reason.UNAVAILABLE || reason === Reason.RATE_LIMITED || reason === Reason.INTERNAL,
  };
}

/** hasReason asks an error of unknown kind for one reason. */
export function hasReason(error: unknown, ...reasons: Reason[]): boolean {
  return error !== null && error !== undefined && reasons.includes(faultOf(error).reason);
}

// What the browsers say when there was no answer at all.
const offline = /failed to fetch|networkerror|load failed|network error/i;

function unreachable(error: ConnectError): boolean {
  return offline.test(error.rawMessage);
}

/** sentence makes the server's text, which starts in lower case, one for the screen. */
function sentence(reason: Reason, text: string): string {
  if (reason === Reason.UNAVAILABLE && (text === "" || offline.test(text))) {
    return "The server cannot be reached. Check the connection; nothing was lost.";
  }
  if (text === "") return "Something went wrong on the server.";
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
