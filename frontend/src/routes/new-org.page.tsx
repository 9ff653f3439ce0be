import { useMutation } from "@connectrpc/connect-query";
import { Divider } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { TextLink } from "@/components/ui/link";
import { Frame } from "@/features/account/frame";
import { useWho } from "@/features/account/who";
import { Invitations } from "@/features/tenancy/invitations";
import { NewOrganization } from "@/features/tenancy/new-organization";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";

/** Invitations come first: most people who were invited need no organization of their own. */
export function NewOrgPage() {
  const { user, invitations, memberships } = useWho();
  const router = useRouter();
  const signOut = useMutation(AccountService.method.signOut, {
    onSuccess: () => {
      router.options.context.queryClient.clear();
      return router.navigate({ to: "/sign-in" });
    },
  });
  const invited = invitations.length > 0;
  const first = memberships[0]?.organization?.slug;
  return (
    <Frame
      title={invited ? "You are invited" : "Create your organization"}
      note={
        invited ? "Join, or create an organization of your own." : "It comes with a first workspace; you can add more."
      }
      foot={
        <>
          {first && (
            <>
              <TextLink to="/o/$org" params={{ org: first }}>
                Back to {memberships[0]?.organization?.name}
              </TextLink>
              {" · "}
            </>
          )}
          Signed in as {user?.email}.{" "}
          <TextLink
            to="/sign-in"
            onClick={(event) => {
              event.preventDefault();
              signOut.mutate({});
            }}
          >
            Sign out
          </TextLink>
        </>
      }
    >
      {invited && <Invitations />}
      {invited && <Divider my="lg" label="or create your own" />}
      <NewOrganization />
    </Frame>
  );
}
