import { Center, Loader } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { Empty } from "@/components/ui/empty";
import { ButtonLink } from "@/components/ui/link";
import { ErrorView } from "@/components/ui/loaded";

/** What stands there while a route's code or its reader's session is on the way. */
export function PendingPage() {
  return (
    <Center mih="60vh" role="status" aria-label="Loading">
      <Loader size="sm" type="dots" />
    </Center>
  );
}

export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <main>
      <title>Something went wrong · Signalbox</title>
      <ErrorView error={error} retry={retry} />
    </main>
  );
}

export function NotFoundPage() {
  return (
    <main>
      <title>Nothing here · Signalbox</title>
      <Empty icon="search" title="There is nothing at this address">
        It does not exist, or you have no access to it. Both look the same from here.
        <br />
        <ButtonLink to="/" variant="default" size="xs" mt="md">
          Go to the overview
        </ButtonLink>
      </Empty>
    </main>
  );
}
