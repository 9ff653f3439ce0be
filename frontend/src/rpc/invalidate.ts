import type { DescMethodUnary } from "@bufbuild/protobuf";
import { createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

/** useInvalidate marks the answers of methods stale after a mutation touched them. */
export function useInvalidate(): (...methods: DescMethodUnary[]) => Promise<void> {
  const client = useQueryClient();
  const transport = useTransport();
  return async (...methods) => {
    await Promise.all(
      methods.map((schema) =>
        client.invalidateQueries({ queryKey: createConnectQueryKey({ schema, transport, cardinality: undefined }) }),
      ),
    );
  };
}
