import { useMutation } from "@connectrpc/connect-query";
import { Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";
import { Command } from "@/components/ui/copy";
import { FaultNotice } from "@/components/ui/fault-notice";
import { Moment } from "@/components/ui/moment";
import { Notice } from "@/components/ui/notice";
import { Section } from "@/components/ui/page";
import { AccountService } from "@/gen/signalbox/tenancy/v1/account_pb";
import classes from "./personal-token.module.css";

/** PersonalToken makes a token for a command line that cannot open a browser. */
export function PersonalToken() {
  const [name, setName] = useState("");
  const create = useMutation(AccountService.method.createPersonalToken);
  return (
    <Section
      title="Personal token"
      note="For the command line on a machine without a browser. It may do what you may, for 90 days at most."
    >
      {create.data ? (
        <div className={classes.stack}>
          <Notice tone="wait" icon="key">
            Copy it now; it is shown only once. It expires <Moment at={create.data.expiresAt} />.
          </Notice>
          <Command command={create.data.token} what="token" prompt={false} />
          <Group>
            <Button
              variant="default"
              onClick={() => {
                create.reset();
                setName("");
              }}
            >
              Make another
            </Button>
          </Group>
        </div>
      ) : (
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate({ name });
          }}
        >
          <TextInput
            label="What for"
            placeholder="laptop"
            required
            maw={320}
            flex={1}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={create.isPending}>
            Make a token
          </Button>
        </form>
      )}
      <FaultNotice error={create.error} />
    </Section>
  );
}
