/**
 * Receives frames over plain TCP, and says when all are there: the floor of the relay.
 *
 * @module
 */
import net from "node:net";
import process from "node:process";

const [bytes] = process.argv.slice(2).map(Number);
let got = 0;
const server = net.createServer((socket) => {
  socket.on("data", (more) => {
    got += more.length;
    if (got >= bytes) {
      socket.end("done");
      server.close();
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as net.AddressInfo).port));
