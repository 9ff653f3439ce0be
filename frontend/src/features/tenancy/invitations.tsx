import { useMutation } from "@connectrpc/connect-query";
import { Button } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Moment } from "@/components/ui/moment";
import { useForgetWho, useWho } from "@/features/account/who";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import classes from "./invitations.module.css";

/** Invitations lists what the reader was invited to, each with a button to join. */
export function Invitations() {
  const { invitations } = useWho();
  const forgetWho = useForgetWho();
  const router = useRouter();
  const accept = useMutation(AccountService.method.acceptInvitation, {
    onSuccess: async ({ organization }) => {
      await forgetWho();
      await router.navigate({ to: "/o/$org", params: { org: organization?.slug ?? "" } });
    },
  });
  return (
    <section aria-label="Open invitations">
      <ul className={classes.list}>
        {invitations.map((invitation) => (
          <li key={invitation.id} className={classes.item}>
            <div>
              <strong>{invitation.organizationName}</strong>
              <div className={classes.note}>
                {invitation.invitedBy} invites you as {invitation.role}; open until <Moment at={invitation.expiresAt} />
              </div>
            </div>
            <Button
              loading={accept.isPending && accept.variables?.invitationId === invitation.id}
              onClick={() => accept.mutate({ invitationId: invitation.id })}
            >
              Join
            </Button>
          </li>
        ))}
      </ul>
      <FaultNotice error={accept.error} />
    </section>
  );
}
