import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { Icon } from "@/components/ui/icon";
import { TextLink } from "@/components/ui/link";
import { Loaded } from "@/components/ui/loaded";
import { Logo } from "@/components/ui/logo";
import { Moment } from "@/components/ui/moment";
import { Page, Section } from "@/components/ui/page";
import { Table } from "@/components/ui/table";
import { deviceOf } from "@/features/account/device";
import { PersonalToken } from "@/features/account/personal-token";
import { useWho } from "@/features/account/who";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import { useInvalidate } from "@/rpc/invalidate";

/** AccountPage is about the reader, whichever organization he came from. */
export function AccountPage() {
  const { user } = useWho();
  return (
    <main id="content">
      <Page
        title="Account"
        trail={
          <TextLink to="/">
            <Icon name="chevronLeft" size={13} /> Back to work
          </TextLink>
        }
        note={
          <>
            {user?.name}, {user?.email}
          </>
        }
        actions={<Logo size={30} />}
      >
        <Sessions />
        <PersonalToken />
      </Page>
    </main>
  );
}

function Sessions() {
  const query = useQuery(AccountService.method.listSessions, {});
  const invalidate = useInvalidate();
  const revoke = useMutation(AccountService.method.revokeSession, {
    onSuccess: () => invalidate(AccountService.method.listSessions),
  });
  return (
    <Section title="Sessions" note="Where you are signed in. Ending one signs that browser out at once." flush>
      <Loaded query={query}>
        {({ sessions }) => (
          <Table
            label="Sessions"
            head={
              <>
                <th>Browser</th>
                <th>Address</th>
                <th>Signed in</th>
                <th>Last seen</th>
                <th aria-label="Actions" />
              </>
            }
          >
            {sessions.map((session) => (
              <tr key={session.id}>
                <td title={session.userAgent}>
                  {deviceOf(session.userAgent)} {session.current && <span className="sb-dim">(this one)</span>}
                </td>
                <td className="sb-mono">{session.ip}</td>
                <td>
                  <Moment at={session.createdAt} />
                </td>
                <td>
                  <Moment at={session.seenAt} />
                </td>
                <td data-tight>
                  {!session.current && (
                    <Button
                      size="compact-sm"
                      variant="subtle"
                      color="red"
                      loading={revoke.isPending && revoke.variables?.id === session.id}
                      aria-label={`End the session in ${deviceOf(session.userAgent)}`}
                      onClick={() => revoke.mutate({ id: session.id })}
                    >
                      End
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Loaded>
    </Section>
  );
}
