"""Who says what when: each end of an intersection, talking over its line."""

from __future__ import annotations

from collections.abc import Sequence

from vertical_lightning.psi.client import Client
from vertical_lightning.psi.frames import Line
from vertical_lightning.psi.handshake import HELLO
from vertical_lightning.psi.server import Server


def ask(client: Client, line: Line) -> tuple[bytes, bytes]:
    """Run the client's half up to the server's setup and response, which `match` or `count` reads."""
    line.send("client hello", client.hello())
    line.send("request", client.request(line.receive("server hello", HELLO)))
    return line.receive("setup", client.expected("setup")), line.receive("response", client.expected("response"))


def tell(client: Client, line: Line, rows: Sequence[int]) -> None:
    """Run the rest of the client's half: reveal the given own rows, and prove that both hold the same ids."""
    line.send("reveal", client.reveal(rows))
    line.send("proof", client.prove())
    line.send("verdict", client.conclude(line.receive("answer", client.expected("answer"))))


def respond(server: Server, line: Line) -> None:
    """Run the server's half up to its response; all of it if the client may only count."""
    line.send("server hello", server.hello(line.receive("client hello", HELLO)))
    server.prepare()  # while the client works on its request
    setup, response = server.respond(line.receive("request", server.expected("request")))
    line.send("setup", setup)
    line.send("response", response)


def learn(server: Server, line: Line) -> list[int]:
    """Run the rest of the server's half; return its own rows of the common entities, in the common order."""
    server.accept(line.receive("reveal", server.expected("reveal")))
    line.send("answer", server.answer(line.receive("proof", server.expected("proof"))))
    return server.conclude(line.receive("verdict", server.expected("verdict")))
