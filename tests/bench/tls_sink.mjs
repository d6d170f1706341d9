/**
 * A next hop that offers STARTTLS, takes every message and forgets it, as Postfix's smtp-sink does
 * without TLS. It runs on Node, whose TLS is OpenSSL's, so that it takes little of the machine:
 *
 *     node tls_sink.mjs PORT CERTIFICATE KEY
 *
 * Prints the number of messages whenever it changed, as smtp-sink does.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { createSecureContext, TLSSocket } from "node:tls";

const [port, certificate, key] = process.argv.slice(2);
const secureContext = createSecureContext({
  cert: readFileSync(certificate),
  key: readFileSync(key),
});
const END_OF_DATA = "\r\n.\r\n";
const EXTENSIONS = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"];

let messages = 0;
let printed = 0;

/** Speaks SMTP on a stream, inside TLS or not yet. */
function serve(socket, { isSecured }) {
  let input = "";
  let inData = false;
  socket.on("error", () => socket.destroy());
  socket.on("data", function take(chunk) {
    input += chunk.toString("latin1");
    let replies = "";
    for (;;) {
      const end = inData ? input.indexOf(END_OF_DATA) : input.indexOf("\r\n");
      if (end < 0) break;
      const line = inData ? "." : input.slice(0, end).toUpperCase();
      input = input.slice(end + (inData ? END_OF_DATA.length : 2));
      if (line === "STARTTLS") {
        socket.off("data", take);
        socket.write("220 2.0.0 Go ahead\r\n");
        serve(new TLSSocket(socket, { isServer: true, secureContext }), { isSecured: true });
        return;
      }
      replies += replyTo(line, isSecured);
      if (line === ".") messages++;
      inData = line === "DATA";
      if (inData) input = `\r\n${input}`; // so that a first line of only a dot is found
      if (line === "QUIT") {
        socket.end(replies);
        return;
      }
    }
    if (replies !== "") socket.write(replies);
  });
}

function replyTo(line, isSecured) {
  if (line.startsWith("EHLO")) {
    const extensions = isSecured ? EXTENSIONS : [...EXTENSIONS, "STARTTLS"];
    return `250-sink.test\r\n${extensions.map((word) => `250-${word}\r\n`).join("")}250 SIZE\r\n`;
  }
  if (line === "DATA") return "354 Go ahead\r\n";
  return line === "QUIT" ? "221 2.0.0 Bye\r\n" : "250 2.0.0 Ok\r\n";
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.write("220 sink.test ESMTP\r\n");
  serve(socket, { isSecured: false });
});
server.listen(Number(port), "127.0.0.1", 1000);
setInterval(() => {
  if (messages === printed) return;
  printed = messages;
  process.stdout.write(`mesg=${messages}\r`);
}, 20);
