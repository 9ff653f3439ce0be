import { useMutation } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { FaultNotice } from "@/components/ui/fault-notice";
import { TextLink } from "@/components/ui/link";
import { Notice } from "@/components/ui/notice";
import { Frame } from "@/features/account/frame";
import { useForgetWho, useWho } from "@/features/account/who";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";

const route = getRouteApi("/in/invite");

export function InvitePage() {
  const { token } = route.useSearch();
  const { user } = useWho();
  const forgetWho = useForgetWho();
  const router = useRouter();
  const accept = useMutation(AccountService.method.acceptInvitation, {
    onSuccess: async ({ organization }) => {
      await forgetWho();
      await router.navigate({ to: "/o/$org", params: { org: organization?.slug ?? "" } });
    },
  });
  return (
    <Frame
      title="Join an organization"
      note={
        <>
          You are signed in as <strong>{user?.email}</strong>. An invitation is bound to the address it was sent to.
        </>
      }
      foot={<TextLink to="/">Not now</TextLink>}
    >
      <FaultNotice error={accept.error} />
      {token ? (
        <Button size="md" mt="sm" fullWidth loading={accept.isPending} onClick={() => accept.mutate({ token })}>
          Accept the invitation
        </Button>
      ) : (
        <Notice tone="bad" icon="warning" urgent>
          The link is incomplete. Copy the whole line from the mail.
        </Notice>
      )}
    </Frame>
  );
}
