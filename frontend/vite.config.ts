import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server's default address; its API is whatever starts with a package name.
const server = process.env.SIGNALBOX_URL ?? "http://127.0.0.1:7070";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    port: 5173,
    fs: { allow: [".."] }, // examples/hello is read from beside us
    proxy: { "^/signalbox\\.": { target: server, changeOrigin: false } },
  },
  build: {
    target: "es2023",
    sourcemap: false,
    // A file that is inlined as data: would be refused by the policy of headers.go.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every page needs. The graph has no group: it stays in the chunk
          // of the page that asks for it.
          groups: [
            {
              name: "react",
              test: /node_modules[\\/](react|react-dom|scheduler|use-sync-external-store)[\\/]/,
              priority: 3,
            },
            { name: "mantine", test: /node_modules[\\/](@mantine|@floating-ui|react-remove-scroll)/ },
            { name: "rpc", test: /node_modules[\\/](@bufbuild|@connectrpc|@tanstack)/ },
          ],
        },
      },
    },
  },
});
