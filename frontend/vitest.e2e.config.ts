import { defineConfig } from "vitest/config";

// The whole product: a server with its own PostgreSQL, an agent, a browser.
// They are built and started by e2e/plane.ts.
export default defineConfig({
  test: {
    environment: "node",
    include: ["e2e/**/*.e2e.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
