"""`python -m callme.lab.sandboxes.bitrix24`: the sandbox portal by itself, until Ctrl-C. Kind to webhooks
unless told otherwise; every other knob can be turned over `/sandbox/knobs`."""

from __future__ import annotations

import argparse
import asyncio

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import HOST, SandboxPortal


async def _serve(port: int, knobs: Knobs) -> None:
    async with SandboxPortal(knobs, port=port) as portal:
        print(f"page     {portal.url}\nwebhook  {portal.webhook_url}", flush=True)
        for key, value in portal.application.items():
            print(f"{key:13}{value}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description="A strict stand-in for a Bitrix24 portal, on loopback.")
    parser.add_argument("--port", type=int, default=8024)
    parser.add_argument("--webhook-telephony", choices=("allow", "deny"), default="allow")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.port, Knobs(webhook_telephony=options.webhook_telephony)))
    except KeyboardInterrupt:
        print(f"stopped (was on {HOST}:{options.port})")
    except OSError as error:
        raise SystemExit(
            f"{HOST}:{options.port} cannot be used: {error.strerror}; choose another --port"
        ) from None


if __name__ == "__main__":
    main()
