import { useMutation } from "@connectrpc/connect-query";
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FaultNotice } from "@/components/ui/fault-notice";
import { TextLink } from "@/components/ui/link";
import { Frame } from "@/features/account/frame";
import { passwordProblem } from "@/features/account/password";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";

const route = getRouteApi("/sign-up");

export function SignUpPage() {
  const { next } = route.useSearch();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [touched, setTouched] = useState(false);
  const signUp = useMutation(AccountService.method.signUp, {
    onSuccess: () => navigate({ to: "/check-mail", search: { email } }),
  });
  const problem = passwordProblem(password);
  return (
    <Frame
      title="Make an account"
      note="Three short steps: account, organization, first agent."
      foot={
        <>
          Have one already?{" "}
          <TextLink to="/sign-in" search={{ next }}>
            Sign in
          </TextLink>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTouched(true);
          if (!problem) signUp.mutate({ name, email, password });
        }}
      >
        <Stack gap="md">
          <TextInput
            label="Name"
            name="name"
            autoComplete="name"
            required
            autoFocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label="Work e-mail"
            type="email"
            name="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            description="At least 8 characters. A few words in a row are good; there are no other rules."
            name="password"
            autoComplete="new-password"
            required
            value={password}
            error={touched && problem}
            onBlur={() => setTouched(password !== "")}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <FaultNotice error={signUp.error} />
          <Button type="submit" size="md" fullWidth loading={signUp.isPending}>
            Make the account
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
