import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Empty } from "@/components/ui/empty";
import { Loaded, Rows } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { AuditTable } from "@/features/audit/audit-table";
import { VerifyChain } from "@/features/audit/verify-chain";
import { AuditService } from "@/gen/signalbox/tenancy/v1/organization_pb";

const PAGE = 50;

export function AuditPage() {
  const query = useInfiniteQuery(
    AuditService.method.listAuditEntries,
    { before: 0n, limit: PAGE },
    { pageParamKey: "before", getNextPageParam: ({ nextBefore }) => (nextBefore === 0n ? undefined : nextBefore) },
  );
  return (
    <Page
      title="Audit log"
      note="What was administered here: members, keys, pools, deploys, money. Each entry carries the hash of the one before it."
      wide
    >
      <VerifyChain />
      <Section flush>
        <Loaded query={query} loading={<Rows count={12} />}>
          {({ pages }) => {
            const entries = pages.flatMap((page) => page.entries);
            if (entries.length === 0) {
              return (
                <Empty icon="audit" title="Acts of administration are recorded here">
                  Nothing was administered so far.
                </Empty>
              );
            }
            return (
              <>
                <AuditTable entries={entries} />
                {query.hasNextPage && (
                  <Button
                    variant="subtle"
                    color="gray"
                    fullWidth
                    loading={query.isFetchingNextPage}
                    onClick={() => query.fetchNextPage()}
                  >
                    Older entries
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
