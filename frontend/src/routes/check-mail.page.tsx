import { getRouteApi } from "@tanstack/react-router";
import { TextLink } from "@/components/ui/link";
import { Notice } from "@/components/ui/notice";
import { Frame } from "@/features/account/frame";

const route = getRouteApi("/check-mail");

export function CheckMailPage() {
  const { email } = route.useSearch();
  return (
    <Frame
      title="Check your mail"
      note={
        <>
          We sent a link to <strong>{email ?? "your address"}</strong>. Open it in this browser and you are signed in.
          It works once, for 24 hours.
        </>
      }
      foot={
        <>
          Wrong address? <TextLink to="/sign-up">Start again</TextLink>. Verified before?{" "}
          <TextLink to="/sign-in">Sign in</TextLink>
        </>
      }
    >
      <Notice tone="neutral" icon="info">
        No mail after a minute? Look into the spam folder. On a server of your own that runs in development, the mail
        stands in the terminal or in its mail file.
      </Notice>
    </Frame>
  );
}
