import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { createQueryOptions } from "@connectrpc/connect-query";
import type { RouterContext } from "@/features/account/who";
import type { Place } from "@/rpc/transport";

/**
 * warm starts a query when its page is about to open, and does not wait: the
 * page shows its own outline until the answer comes.
 */
export function warm<I extends DescMessage, O extends DescMessage>(
  context: RouterContext,
  place: Place,
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I>,
): void {
  const transport = context.transports.at(place);
  void context.queryClient.prefetchQuery(createQueryOptions(method, input, { transport }));
}
