import { useMutation } from "@connectrpc/connect-query";
import { Button, Stack, TextInput } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { useForgetWho } from "@/features/account/who";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import { slugOf, slugProblem } from "./slug";

/** NewOrganization is the form that makes an organization with its first workspace. */
export function NewOrganization() {
  const [name, setName] = useState("");
  const [typedSlug, setTypedSlug] = useState<string>();
  const slug = typedSlug ?? slugOf(name);
  const forgetWho = useForgetWho();
  const router = useRouter();
  const create = useMutation(AccountService.method.createOrganization, {
    onSuccess: async ({ organization, workspace }) => {
      await forgetWho();
      const params = { org: organization?.slug ?? "", ws: workspace?.slug ?? "" };
      await router.navigate({ to: "/o/$org/w/$ws", params });
    },
  });
  const problem = slugProblem(slug);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) create.mutate({ name, slug });
      }}
    >
      <Stack gap="md">
        <TextInput
          label="Organization"
          description="Your company or team: who is billed."
          name="organization"
          autoComplete="organization"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Name in URLs"
          name="slug"
          value={slug}
          error={problem}
          leftSection={<span className="sb-dim">/o/</span>}
          leftSectionWidth={38}
          onChange={(event) => setTypedSlug(event.currentTarget.value)}
        />
        <FaultNotice error={create.error} />
        <Button type="submit" size="md" fullWidth loading={create.isPending}>
          Create the organization
        </Button>
      </Stack>
    </form>
  );
}
