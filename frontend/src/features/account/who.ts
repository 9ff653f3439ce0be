import type { Transport } from "@connectrpc/connect";
import { createQueryOptions } from "@connectrpc/connect-query";
import { type QueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { AccountService, type WhoAmIResponse } from "@/gen/signalbox/tenancy/v1/account_pb";
import type { Transports } from "@/rpc/transport";

/** What every route may use. */
export interface RouterContext {
  queryClient: QueryClient;
  transports: Transports;
}

/** whoOptions asks who is signed in, and where he belongs. */
export function whoOptions(transport: Transport) {
  return { ...createQueryOptions(AccountService.method.whoAmI, {}, { transport }), staleTime: 60_000 };
}

/** ensureWho answers from the cache where it can; it throws when nobody is signed in. */
export function ensureWho(context: RouterContext): Promise<WhoAmIResponse> {
  return context.queryClient.ensureQueryData(whoOptions(context.transports.at({})));
}

/** useWho is for pages below the signed-in route, which has loaded it. */
export function useWho(): WhoAmIResponse {
  const context = useRouter().options.context as RouterContext;
  return useSuspenseQuery(whoOptions(context.transports.at({}))).data;
}

/** useForgetWho asks again who is signed in, after something changed it. */
export function useForgetWho(): () => Promise<void> {
  const context = useRouter().options.context as RouterContext;
  return () => context.queryClient.invalidateQueries({ queryKey: whoOptions(context.transports.at({})).queryKey });
}
