import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vite.config.ts";

// Pure models need no page, and start ten times as fast without one.
export default mergeConfig(
  base,
  defineConfig({
    test: {
      env: { TZ: "UTC", DEBUG_PRINT_LIMIT: "0" },
      testTimeout: 20_000,
      projects: [
        { extends: true, test: { name: "models", environment: "node", include: ["src/**/*.test.ts"] } },
        {
          extends: true,
          test: {
            name: "pages",
            environment: "happy-dom",
            include: ["src/**/*.test.tsx"],
            setupFiles: ["src/test/setup.ts"],
          },
        },
      ],
    },
  }),
);
