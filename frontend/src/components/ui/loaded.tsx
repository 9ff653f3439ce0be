import { Button, Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { faultOf } from "@/rpc/fault";
import { Icon } from "./icon";
import classes from "./loaded.module.css";
import { Notice } from "./notice";

type Answer<T> = Pick<UseQueryResult<T>, "data" | "error" | "isFetching" | "refetch">;

interface LoadedProps<T> {
  query: Answer<T>;
  children: (data: T) => ReactNode;
  /** What stands there while nothing is known yet. */
  loading?: ReactNode;
}

/**
 * Loaded shows a query in each of its states. Data that could not be refreshed
 * stays on the screen, under a line that says so.
 */
export function Loaded<T>({ query, children, loading }: LoadedProps<T>) {
  if (query.data === undefined) {
    if (query.error) return <ErrorView error={query.error} retry={() => query.refetch()} busy={query.isFetching} />;
    return <>{loading ?? <Rows />}</>;
  }
  return (
    <>
      {query.error && <StaleNotice error={query.error} retry={() => query.refetch()} />}
      {children(query.data)}
    </>
  );
}

function StaleNotice({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <Notice tone="wait" icon="unlink">
      What you see may be out of date: {faultOf(error).text}{" "}
      <button type="button" className={classes.inline} onClick={retry}>
        Try again
      </button>
    </Notice>
  );
}

/** Rows is the outline of a list that is on its way. */
export function Rows({ count = 5, height = 34 }: { count?: number; height?: number }) {
  const keys = Array.from({ length: count }, (_, i) => i);
  return (
    <Stack gap={8} p={4} role="status" aria-label="Loading">
      {keys.map((key) => (
        <Skeleton key={key} height={height} />
      ))}
    </Stack>
  );
}

interface ErrorViewProps {
  error: unknown;
  retry?: () => void;
  busy?: boolean;
}

/** ErrorView says what went wrong, its machine name, and lets one try again. */
export function ErrorView({ error, retry, busy = false }: ErrorViewProps) {
  const fault = faultOf(error);
  const gone = fault.reason === Reason.NOT_FOUND;
  return (
    <div className={classes.blank} role="alert">
      <span className={classes.badge} data-bad={!gone || undefined}>
        <Icon name={gone ? "search" : "warning"} size={20} />
      </span>
      <strong>{gone ? "Nothing here" : "This did not load"}</strong>
      <p>{gone ? "It does not exist, or you have no access to it." : fault.text}</p>
      <code className="sb-mono sb-dim">{fault.name}</code>
      {retry && (
        <Button
          variant="default"
          size="xs"
          mt={12}
          loading={busy}
          onClick={retry}
          leftSection={<Icon name="refresh" size={14} />}
        >
          Try again
        </Button>
      )}
    </div>
  );
}
