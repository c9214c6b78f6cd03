import asyncio
import socket

import pytest

from rekog_emotion.server import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_answers_go_out_at_once(host):
    """Connections have no Nagle's algorithm, which would hold the second part of an answer back for 40 ms."""

    async def accepted():
        taken = asyncio.get_running_loop().create_future()

        def take(_, writer):
            taken.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listen(host, 0, public=False) as listener:
            address = listener.getsockname()
            async with await asyncio.start_server(take, sock=listener):
                _, writer = await asyncio.open_connection(*address[:2])
                writer.close()
                return await taken

    assert asyncio.run(accepted()) == 1
