/** Serves the dashboard of a made-up relay, for whoever works on its pages: a port, or 8099. */
import { serveDashboard } from "../admin/views/fixture/serve.ts";

const served = await serveDashboard({ port: Number(Deno.args[0] ?? 8099) });
// deno-lint-ignore no-console
console.log(served.url);
