/** Clients that reset their connections (RST), as a port scanner or a crashed balancer does. */
import { connect } from "node:net";

/** Opens `count` connections to a port of loopback and resets each as soon as it is there. */
export async function resetMany(port: number, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => resetOne(port)));
}

function resetOne(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => socket.resetAndDestroy());
    socket.on("error", () => {}); // what it does to itself
    socket.on("close", () => resolve());
  });
}
