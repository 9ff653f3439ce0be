import { useMutation } from "@connectrpc/connect-query";
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { TextLink } from "@/components/ui/link";
import { Frame } from "@/features/account/frame";
import { safeNext } from "@/features/account/next";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { next } = route.useSearch();
  const router = useRouter();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation(AccountService.method.signIn, {
    onSuccess: () => {
      router.options.context.queryClient.clear();
      return router.history.push(safeNext(next));
    },
  });
  return (
    <Frame
      title="Sign in"
      note="Welcome back."
      foot={
        <>
          New here?{" "}
          <TextLink to="/sign-up" search={{ next }}>
            Make an account
          </TextLink>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate({ email, password });
        }}
      >
        <Stack gap="md">
          <TextInput
            label="E-mail"
            type="email"
            name="email"
            autoComplete="username"
            required
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <FaultNotice error={signIn.error} />
          <Button type="submit" size="md" fullWidth loading={signIn.isPending}>
            Sign in
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
