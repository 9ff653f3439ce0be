import { Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithRef } from "react";

/** TextLink is a link of the app in running text. */
export const TextLink = createLink(({ className, ...props }: ComponentPropsWithRef<"a">) => (
  <a {...props} className={className ? `sb-link ${className}` : "sb-link"} />
));

/** BareLink looks only as its class says: cards and rows that lead somewhere. */
export const BareLink = createLink((props: ComponentPropsWithRef<"a">) => <a {...props} />);

/** ButtonLink goes somewhere and looks like a button. */
export const ButtonLink = createLink((props: ButtonProps & Omit<ComponentPropsWithRef<"a">, keyof ButtonProps>) => (
  <Button component="a" {...props} />
));
