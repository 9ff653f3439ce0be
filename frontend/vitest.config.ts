import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vite.config.ts";

export default mergeConfig(
  base,
  defineConfig({
    test: {
      environment: "happy-dom",
      include: ["src/**/*.test.{ts,tsx}"],
      setupFiles: ["src/test/setup.ts"],
      testTimeout: 20_000,
      env: { TZ: "UTC", DEBUG_PRINT_LIMIT: "0" },
    },
  }),
);
