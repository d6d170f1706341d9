// Uses up the descriptors of its process, connects while accepting is impossible, frees them and
// says what the listener made of it. Run by the listener's test.
import type { Conn } from "../../src/net/conn.ts";
import { errorCode } from "../../src/net/conn_error.ts";
import { listen } from "../../src/net/listener.ts";

const say = (line: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};
const shortage = Promise.withResolvers<void>();
const held: Conn[] = [];
let waiting = true;
const served = Promise.withResolvers<void>();
const listener = await listen({ address: "127.0.0.1", port: 0 }, {
  onConn(conn) {
    if (waiting) return void held.push(conn);
    conn.close();
    served.resolve();
  },
  onError(error) {
    say(`reported ${errorCode(error)}`);
    shortage.resolve();
  },
});
const clients: Deno.TcpConn[] = [];
const target = { hostname: "127.0.0.1", port: listener.local.port };
for (;;) {
  try {
    clients.push(await Deno.connect(target));
  } catch {
    break;
  }
}
// One descriptor for one more client, none for the listener to accept it with.
clients.pop()?.close();
clients.push(await Deno.connect(target));
await shortage.promise;
waiting = false;
for (const conn of held) conn.close();
await served.promise;
for (const client of clients) client.close();
listener.stop();
say("accepted after the shortage");
