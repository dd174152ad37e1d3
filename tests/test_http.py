"""What a sender learns from `HttpClient`: an answer, surely not sent, or sent and unknown."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callme.errors import ConfigError
from callme.http import Answer, HttpClient, NoAnswer, NotSent, Upload

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = running.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/rest/1/very-secret/"
    finally:
        running.close()
        await running.wait_closed()


def saying(raw: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return talk


async def test_an_answer_comes_with_status_headers_and_body() -> None:
    raw = b"HTTP/1.1 400 Bad Request\r\nX-Note: hi\r\nContent-Length: 2\r\n\r\n{}"
    async with server(saying(raw)) as url, HttpClient() as client:
        reply = await client.post_json(url, {"a": 1})
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body, reply.headers["x-note"]) == (400, b"{}", "hi")


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    raw = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n"
    async with server(saying(raw)) as url, HttpClient() as client:
        reply = await client.post_json(url, {})
    assert isinstance(reply, Answer)
    assert reply.status == 302


async def test_a_closed_port_means_surely_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with HttpClient() as client:
        reply = await client.post_json(f"http://127.0.0.1:{port}/rest/1/very-secret/", {})
    assert isinstance(reply, NotSent)
    assert "refuses" in reply.why.say("en")
    assert "very-secret" not in reply.why.say("en") + reply.why.say("ru")


async def test_an_unknown_name_means_surely_not_sent() -> None:
    async with HttpClient() as client:
        reply = await client.post_json("http://portal.invalid/", {})
    assert isinstance(reply, NotSent)


async def test_an_address_that_is_none_means_surely_not_sent() -> None:
    async with HttpClient() as client:
        assert isinstance(await client.post_json("ftp://127.0.0.1/", {}), NotSent)


async def test_silence_is_no_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(talk) as url, HttpClient(answer_s=0.2) as client:
        reply = await client.post_json(url, {})
    assert isinstance(reply, NoAnswer)


async def test_an_answer_that_drips_for_ever_is_no_answer() -> None:
    async with HttpClient(answer_s=0.3) as client:
        running = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with running:
            url = f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/"
            reply = await client.post_json(url, {})
    assert isinstance(reply, NoAnswer)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    sending = True
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while sending and not writer.is_closing():
        try:
            writer.write(b" ")
            await writer.drain()
            await asyncio.wait_for(reader.read(1), 0.02)
            sending = False
        except TimeoutError:
            continue
        except ConnectionError:
            sending = False
    writer.close()


async def test_a_connection_cut_inside_the_answer_is_no_answer() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    async with server(saying(raw)) as url, HttpClient() as client:
        reply = await client.post_json(url, {})
    assert isinstance(reply, NoAnswer)


async def test_a_connection_closed_without_an_answer_is_no_answer() -> None:
    async with server(saying(b"")) as url, HttpClient() as client:
        assert isinstance(await client.post_json(url, {}), NoAnswer)


async def test_an_answer_over_the_cap_is_not_read() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    async with server(saying(raw)) as url, HttpClient(answer_cap=1000) as client:
        reply = await client.post_json(url, {})
    assert isinstance(reply, NoAnswer)
    assert "1000" in reply.why.say("ru")


async def test_a_file_goes_out_as_multipart(tmp_path: Path) -> None:
    heard = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"--\r\n" not in heard:
            heard.extend(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    file = tmp_path / "a.mp3"
    file.write_bytes(b"sound" * 10)
    async with server(talk) as url, HttpClient() as client:
        reply = await client.post_file(url, Upload("file", "talk.mp3", "audio/mpeg", file))
    assert isinstance(reply, Answer)
    assert b'name="file"; filename="talk.mp3"' in bytes(heard)
    assert b"sound" * 10 in bytes(heard)


async def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    async with HttpClient() as client:
        with pytest.raises(OSError, match="none"):
            await client.post_file(
                "http://127.0.0.1:1/", Upload("file", "a.mp3", "audio/mpeg", tmp_path / "none")
            )


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_useless_authorities_file_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        HttpClient(ca_file=file)
    assert str(file) in caught.value.say("ru")
