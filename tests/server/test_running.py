import asyncio
import logging
import signal
import socket

import pytest

from rekog_emotion.errors import ConfigurationError, InvalidInputError
from rekog_emotion.server import create_app, listen
from rekog_emotion.server.running import _end
from tests.server.conftest import at_a_port, boto


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


@pytest.mark.usefixtures("credentials")
def test_says_no_more_than_the_service(scripted, caplog):
    """No header tells what answers, and no request is a line in a log."""
    with caplog.at_level(logging.DEBUG, "uvicorn"), at_a_port(create_app(scripted)) as url, boto(url) as client:
        headers = client.detect_faces(Image={"Bytes": b"a"})["ResponseMetadata"]["HTTPHeaders"]

    assert set(headers) == {"x-amzn-requestid", "content-type", "content-length", "date"}
    assert [record.getMessage() for record in caplog.records if "POST" in record.getMessage()] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 -- refused
def test_others_may_reach_it_with_a_key_alone(host):
    """An address of all networks is refused unless it is to be public."""
    with pytest.raises(InvalidInputError) as caught:
        listen(host, 0, public=False)
    assert str(caught.value) == (
        f"others can reach the host {host}, and could use this endpoint without a key: name --access-key and "
        "--secret-key-file, or stay at --host 127.0.0.1"
    )


def test_a_public_socket_listens():
    """At the port that is free."""
    with listen("0.0.0.0", 0, public=True) as listener:  # noqa: S104 -- for a moment, and nobody answers
        assert listener.getsockname()[1] > 0
        with pytest.raises(ConfigurationError, match=r"^cannot listen at 127\.0\.0\.1 port "):
            listen("127.0.0.1", listener.getsockname()[1], public=False)


@pytest.mark.parametrize(
    ("signals", "hung_up"),
    [
        ([signal.SIGINT], 0),
        ([signal.SIGTERM, signal.SIGTERM], 0),
        ([signal.SIGINT, signal.SIGTERM], 0),
        ([signal.SIGINT, signal.SIGINT], 1),
        ([signal.SIGTERM, signal.SIGINT, signal.SIGINT], 2),
    ],
)
def test_whoever_interrupts_again_wants_no_answers(signals, hung_up):
    """Any signal ends the server when its answers are out; SIGINT after that ends them, too."""

    class Server:
        should_exit = False
        hung_up = 0

        def hang_up(self):
            self.hung_up += 1

    async def signalled():
        server = Server()
        for number in signals:
            _end(server, number, None)
            await asyncio.sleep(0)
        return server.should_exit, server.hung_up

    assert asyncio.run(signalled()) == (True, hung_up)
