import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  server: { proxy: { "/api/auth": "http://localhost:8080" } }, // for vite dev
  build: { chunkSizeWarningLimit: 2000 },
});
