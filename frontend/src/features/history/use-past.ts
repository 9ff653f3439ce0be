import { skipToken, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { type Entry, HistoryService } from "@/gen/signalbox/run/v1/history_pb";

/** usePast is a run as it stood after an entry of its journal; nothing is asked without one. */
export function usePast(id: string, seq: number | undefined) {
  return useQuery(
    HistoryService.method.getRunAt,
    seq === undefined ? skipToken : { id, moment: { case: "seq", value: BigInt(seq) } },
    // The past does not change.
    { staleTime: Number.POSITIVE_INFINITY, placeholderData: keepPreviousData },
  );
}

const PAGE = 200;

/** useEntry is an entry of a run's journal; they are read by the page, so that one may go back and forth. */
export function useEntry(id: string, seq: number): Entry | undefined {
  const after = Math.floor((seq - 1) / PAGE) * PAGE;
  const { data } = useQuery(HistoryService.method.listEntries, { id, after: BigInt(after), pageSize: PAGE });
  return data?.entries.find((entry) => entry.seq === BigInt(seq));
}
