import { useMutation } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { FaultNotice } from "@/components/ui/fault-notice";
import { TextLink } from "@/components/ui/link";
import { Notice } from "@/components/ui/notice";
import { Frame } from "@/features/account/frame";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";

const route = getRouteApi("/verify");

/**
 * VerifyPage takes a click: mail scanners open links, and a link that acted by
 * itself would be used up before its reader came.
 */
export function VerifyPage() {
  const { token } = route.useSearch();
  const router = useRouter();
  const verify = useMutation(AccountService.method.verifyEmail, {
    onSuccess: () => {
      router.options.context.queryClient.clear();
      return router.navigate({ to: "/" });
    },
  });
  return (
    <Frame
      title="Confirm your address"
      note="One click, and you are signed in."
      foot={
        <>
          Confirmed before? <TextLink to="/sign-in">Sign in</TextLink>
        </>
      }
    >
      {token ? (
        <>
          <FaultNotice error={verify.error} />
          <Button
            size="md"
            fullWidth
            autoFocus
            mt="sm"
            loading={verify.isPending}
            onClick={() => verify.mutate({ token })}
          >
            Confirm and continue
          </Button>
        </>
      ) : (
        <Notice tone="bad" icon="warning" urgent>
          The link is incomplete. Copy the whole line from the mail.
        </Notice>
      )}
    </Frame>
  );
}
