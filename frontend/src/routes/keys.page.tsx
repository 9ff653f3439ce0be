import { useQuery } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Empty } from "@/components/ui/empty";
import { Icon } from "@/components/ui/icon";
import { Loaded } from "@/components/ui/loaded";
import { Page, Section } from "@/components/ui/page";
import { Reasoned } from "@/components/ui/reasoned";
import { CreateKey } from "@/features/apikey/create-key";
import { KeysTable } from "@/features/apikey/keys-table";
import { useWhyNot } from "@/features/tenancy/place";
import { KeyService } from "@/gen/signalbox/tenancy/v1/organization_pb";

export function KeysPage() {
  const query = useQuery(KeyService.method.listKeys, {});
  const [creating, { open, close }] = useDisclosure();
  const why = useWhyNot("keys.admin");
  return (
    <Page
      title="API keys"
      note="For programs: CI, scripts, dashboards. A key is shown once, and revoking it bites at its next call."
      actions={
        <Reasoned why={why}>
          <Button onClick={open} disabled={why !== undefined} leftSection={<Icon name="plus" size={15} />}>
            New key
          </Button>
        </Reasoned>
      }
    >
      <Section flush>
        <Loaded query={query}>
          {({ keys }) =>
            keys.length === 0 ? (
              <Empty icon="key" title="Programs sign in with keys">
                There is none yet. Make one for your CI, and give it to the command line as SIGNALBOX_TOKEN.
              </Empty>
            ) : (
              <KeysTable keys={keys} />
            )
          }
        </Loaded>
      </Section>
      <CreateKey opened={creating} onClose={close} />
    </Page>
  );
}
