import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Announce } from "@/components/ui/announce";
import { Command } from "@/components/ui/copy";
import { Empty } from "@/components/ui/empty";
import { Loaded, Rows } from "@/components/ui/loaded";
import { useNow } from "@/components/ui/now";
import { Page, Section } from "@/components/ui/page";
import { defaultWindow, isFiltered, type RunFilter, toRequest, windowNames } from "@/features/run/filter";
import { RunFilters } from "@/features/run/run-filters";
import { RunsTable } from "@/features/run/runs-table";
import { plural } from "@/format/count";
import { RunService } from "@/gen/signalbox/run/v1/run_pb";

const route = getRouteApi("/in/o/$org/w/$ws/runs");
const PAGE = 50;
const REFRESH_MS = 4000;

export function RunsPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: RunFilter) => void navigate({ search: next, replace: true, resetScroll: false });
  // A list by the minute: its window moves on, and it stays one entry of the cache meanwhile.
  const minute = Math.floor(useNow() / 60_000) * 60_000;
  const query = useInfiniteQuery(
    RunService.method.listRuns,
    { ...toRequest(filter, minute), pageSize: PAGE, pageToken: "" },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      placeholderData: (before) => before,
      refetchInterval: ({ state }) => (state.data && state.data.pages.length > 1 ? false : REFRESH_MS),
    },
  );
  return (
    <Page
      title="Runs"
      note="Every execution of a pipeline, newest first. The address of this page is the filter: share it."
      wide
    >
      <RunFilters filter={filter} onChange={change} />
      <Section flush>
        <Loaded query={query} loading={<Rows count={12} />}>
          {({ pages }) => {
            const runs = pages.flatMap((page) => page.runs);
            if (runs.length === 0) return <NoRuns filter={filter} onChange={change} />;
            return (
              <>
                <Announce text={`${plural(runs.length, "run")} shown`} />
                <RunsTable runs={runs} label="Runs" />
                {query.hasNextPage && (
                  <Button
                    variant="subtle"
                    color="gray"
                    fullWidth
                    loading={query.isFetchingNextPage}
                    onClick={() => query.fetchNextPage()}
                  >
                    Older runs
                  </Button>
                )}
              </>
            );
          }}
        </Loaded>
      </Section>
    </Page>
  );
}

function NoRuns({ filter, onChange }: { filter: RunFilter; onChange: (filter: RunFilter) => void }) {
  if (isFiltered(filter)) {
    return (
      <Empty
        icon="filter"
        title="No run fits these filters"
        next={
          <Button display="block" mx="auto" variant="default" size="xs" onClick={() => onChange({ window: "all" })}>
            Clear the filters
          </Button>
        }
      >
        {windowNames[filter.window ?? defaultWindow]}; there may be older ones.
      </Empty>
    );
  }
  if (filter.window !== "all") {
    return (
      <Empty
        icon="run"
        title="Nothing ran in the last 24 hours"
        next={
          <Button display="block" mx="auto" variant="default" size="xs" onClick={() => onChange({ window: "all" })}>
            Show all runs
          </Button>
        }
      >
        Only the last 24 hours are shown, unless you choose another window.
      </Empty>
    );
  }
  return (
    <Empty
      icon="run"
      title="Every run of a pipeline appears here"
      next={<Command command="signalbox run start hello --watch" what="run command" />}
    >
      Nothing has run in this workspace yet.
    </Empty>
  );
}
