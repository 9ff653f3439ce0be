import { ActionIcon, Button, CopyButton, Tooltip } from "@mantine/core";
import { Announce } from "./announce";
import classes from "./copy.module.css";
import { Icon } from "./icon";

interface CopyProps {
  value: string;
  /** What is copied, for the tooltip: "run id". */
  what: string;
}

/** Copy is a small button that puts a text on the clipboard and says so. */
export function Copy({ value, what }: CopyProps) {
  return (
    <CopyButton value={value} timeout={1600}>
      {({ copied, copy }) => (
        <>
          <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
            <ActionIcon size="sm" onClick={copy} aria-label={`Copy ${what}`}>
              <Icon name={copied ? "check" : "copy"} size={14} />
            </ActionIcon>
          </Tooltip>
          {copied && <Announce text={`Copied ${what}`} />}
        </>
      )}
    </CopyButton>
  );
}

interface IdProps {
  id: string;
  what: string;
  /** Leading and trailing characters to show; the whole id is copied. */
  short?: boolean;
}

/** Id shows an identifier in one width of letters, with a button to copy it. */
export function Id({ id, what, short = false }: IdProps) {
  const text = short && id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
  return (
    <span className={classes.id}>
      <span className="sb-mono" title={id}>
        {text}
      </span>
      <Copy value={id} what={what} />
    </span>
  );
}

interface CommandProps {
  command: string;
  what?: string;
  /** Off for what is no command: a link, a secret. */
  prompt?: boolean;
}

/** Command is a line for a terminal, ready to copy. */
export function Command({ command, what = "command", prompt = true }: CommandProps) {
  return (
    <div className={classes.command}>
      {prompt && (
        <span className={classes.prompt} aria-hidden="true">
          $
        </span>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long command scrolls, and keyboards must reach that. */}
      <code className={classes.code} tabIndex={0}>
        {command}
      </code>
      <CopyButton value={command} timeout={1600}>
        {({ copied, copy }) => (
          <Button
            size="compact-sm"
            variant="default"
            onClick={copy}
            leftSection={<Icon name={copied ? "check" : "copy"} size={14} />}
            aria-label={`Copy ${what}`}
          >
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
