import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { Reason } from "@/gen/signalbox/fault/v1/fault_pb";
import { faultOf, hasReason } from "./fault";

const MOST_RETRIES = 3;

/**
 * makeQueryClient makes the cache of server data. onSignedOut is called when any
 * answer says that the session is over.
 */
export function makeQueryClient(onSignedOut: () => void): QueryClient {
  const watch = (error: unknown) => {
    if (hasReason(error, Reason.UNAUTHENTICATED)) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: watch }),
    mutationCache: new MutationCache({ onError: watch }),
    defaultOptions: {
      queries: {
        staleTime: 5000,
        retry: (failures, error) => failures < MOST_RETRIES && faultOf(error).reason === Reason.UNAVAILABLE,
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
}
