import { Kbd, Modal } from "@mantine/core";
import classes from "./shell.module.css";
import { useActiveShortcuts } from "./shortcut";

interface ShortcutHelpProps {
  opened: boolean;
  onClose: () => void;
}

/** ShortcutHelp lists what keys do here and now. */
export function ShortcutHelp({ opened, onClose }: ShortcutHelpProps) {
  const shortcuts = useActiveShortcuts();
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts">
      <dl className={classes.keys}>
        <div>
          <dt>
            <Kbd size="sm">/</Kbd> <span className="sb-dim">or</span> <Kbd size="sm">{mod}</Kbd>
            <Kbd size="sm">K</Kbd>
          </dt>
          <dd>Search and commands</dd>
        </div>
        {shortcuts
          .filter(({ keys }) => keys !== "/")
          .map(({ keys, what }) => (
            <div key={keys}>
              <dt>
                {keys.split(" ").map((key) => (
                  <Kbd key={key} size="sm">
                    {key}
                  </Kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
      </dl>
    </Modal>
  );
}

/** The key that goes with K on this machine. */
export const mod = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
