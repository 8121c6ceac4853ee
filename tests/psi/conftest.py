"""Carries a conversation between the two ends of an intersection."""

import pytest


def converse(client, server, change=lambda step, message: message):
    """Carry the messages of a whole run; `change` sits on the line. Return both ends' rows."""
    hello = change("server hello", server.hello(change("client hello", client.hello())))
    setup, response = server.respond(change("request", client.request(hello)))
    rows = client.match(change("setup", setup), change("response", response))
    server.accept(change("reveal", client.reveal(rows)))
    answer = change("answer", server.answer(change("proof", client.prove())))
    return rows, server.conclude(change("verdict", client.conclude(answer)))


@pytest.fixture(scope="session", name="converse")
def converse_fixture():
    """Hand the conversation to a test."""
    return converse
