import { Code, ConnectError } from "@connectrpc/connect";
import { DetailSchema, Reason } from "@/gen/signalbox/fault/v1/fault_pb";

/** refuse makes the error that a server would send. */
export function refuse(
  reason: Reason,
  code: Code,
  text: string,
  violations: { path: string; text: string }[] = [],
): ConnectError {
  return new ConnectError(text, code, undefined, [{ desc: DetailSchema, value: { reason, violations } }]);
}

export const notFound = () => refuse(Reason.NOT_FOUND, Code.NotFound, "not found");
export const unauthenticated = () => refuse(Reason.UNAUTHENTICATED, Code.Unauthenticated, "sign in first");

/** pause makes the mock as slow as a near server. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
