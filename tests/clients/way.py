"""A way to a server of this machine that is worse than loopback."""

import asyncio
import contextlib
import socket
import threading

PIECE_LEN = 16384


class Way(threading.Thread):
    """Leads to the port `to`; answers take `delay_s` longer, and `bytes_per_s` go each way, if that is told."""

    def __init__(self, to, bytes_per_s=None):
        super().__init__(daemon=True)
        self.to, self.delay_s, self.bytes_per_s = to, 0.0, bytes_per_s
        self.listener = prompt()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        with contextlib.suppress(RuntimeError):
            self.loop.run_until_complete(self.serve())

    async def serve(self):
        server = await asyncio.start_server(self.accept, sock=self.listener, limit=PIECE_LEN)
        await server.serve_forever()

    async def accept(self, reader, writer):
        with contextlib.suppress(OSError):
            far = prompt()
            far.setblocking(False)
            await self.loop.sock_connect(far, ("127.0.0.1", self.to))
            far_reader, far_writer = await asyncio.open_connection(sock=far, limit=PIECE_LEN)
            await asyncio.gather(
                self.carry(reader, far_writer, is_answer=False), self.carry(far_reader, writer, is_answer=True)
            )

    async def carry(self, reader, writer, is_answer):
        with contextlib.suppress(OSError):
            while data := await reader.read(PIECE_LEN):
                if self.bytes_per_s:
                    await asyncio.sleep(len(data) / self.bytes_per_s)
                self.loop.call_later(self.delay_s if is_answer else 0.0, writer.write, data)
                await writer.drain()
        self.loop.call_later(self.delay_s, writer.close)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


def prompt():
    """A socket that sends at once, as those do that it accepts. By themselves asyncio's accepted sockets do not
    where their listener was made elsewhere; and what waits for the acknowledgement of what went before may then
    be one answer behind for good: each goes with the next request's acknowledgement."""
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
