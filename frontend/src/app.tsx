import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "@/theme/global.css";

import { TransportProvider } from "@connectrpc/connect-query";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { AppRouter } from "@/router";
import { theme } from "@/theme/theme";

interface AppProps {
  router: AppRouter;
  /** `test` leaves out transitions. */
  env?: "default" | "test";
}

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
// The scroll lock under dialogs writes a style element too, and looks here for the nonce.
Object.assign(globalThis, { __webpack_nonce__: nonce });

/** App is the router inside everything that pages expect around them. */
export function App({ router, env = "default" }: AppProps) {
  const { queryClient, transports } = router.options.context;
  return (
    <MantineProvider env={env} theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <Notifications position="bottom-right" autoClose={5000} />
      <QueryClientProvider client={queryClient}>
        <TransportProvider transport={transports.at({})}>
          <RouterProvider router={router} />
        </TransportProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
