"""Calling endpoints: never into a network that is nobody else's, never longer than its time, never where it is sent on.

The address that was looked at is the one that is connected to, so that a name can't lead elsewhere a moment later
(SSRF). The certificate is checked against the name.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from dps.kernel.ports import Ports
from web.sending.letters import Channel, Parcel, Undeliverable
from web.sending.webhooks import body_of, signature

PATIENCE_S = 15
"""How long a call may take in all."""

AT_ONCE = 10


class PrivateAddress(Exception):
    """The endpoint's name leads into a network that is nobody else's to be called in."""


class Refused(Exception):
    """The endpoint answered, and not with a success; the status is its text."""


class Calls:
    """Makes the calls of a batch, ten at once. `with_loopback` lets this machine be called, for a trial."""

    channels = (Channel.WEBHOOK,)

    def __init__(self, ports: Ports, *, with_loopback: bool = False, verify: Any = True) -> None:
        self._ports = ports
        self._with_loopback = with_loopback
        self._verify = verify

    def carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Exception | None], None]) -> None:
        for parcel, fault in asyncio.run(self._all(parcels)):
            note(parcel, fault)

    async def _all(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Exception | None]]:
        turn = asyncio.Semaphore(AT_ONCE)
        # No proxy of the environment is asked, which would look the name up again.
        async with httpx.AsyncClient(
            trust_env=False, follow_redirects=False, timeout=PATIENCE_S, verify=self._verify
        ) as client:

            async def one(parcel: Parcel) -> tuple[Parcel, Exception | None]:
                async with turn:
                    return parcel, await self._fault(client, parcel)

            return list(await asyncio.gather(*(one(parcel) for parcel in parcels)))

    async def _fault(self, client: httpx.AsyncClient, parcel: Parcel) -> Exception | None:
        assert parcel.endpoint is not None
        if parcel.endpoint.ended_at is not None:
            return Undeliverable("ended")
        try:
            async with asyncio.timeout(PATIENCE_S):
                status = await self._call(client, parcel)
        except (httpx.HTTPError, OSError, TimeoutError, PrivateAddress) as fault:
            return fault
        if 200 <= status < 300:
            return None
        # 410: the specification's word for "never again".
        return Undeliverable("answered 410") if status == 410 else Refused(status)

    async def _call(self, client: httpx.AsyncClient, parcel: Parcel) -> int:
        endpoint, message = parcel.endpoint, parcel.message
        assert endpoint is not None
        url = httpx.URL(endpoint.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await asyncio.to_thread(public_address, url.host, port, with_loopback=self._with_loopback)
        body = body_of(message)
        timestamp = int(parcel.claimed_at.timestamp())
        key = self._ports.keyring.application.open(endpoint.secret, about=f"webhook {endpoint.ref}")
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            "User-Agent": "dps-webhooks",
            "webhook-id": message.ref,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(key, ref=message.ref, timestamp=timestamp, body=body),
        }
        named = {"sni_hostname": url.host}
        async with client.stream(
            "POST", url.copy_with(host=address), content=body, headers=headers, extensions=named
        ) as answer:
            return answer.status_code


def public_address(host: str, port: int, *, with_loopback: bool = False) -> str:
    """An address of `host` to connect to; PrivateAddress unless every address that it has is a public one."""
    found = {str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or address
        is_public = inner.is_global and not inner.is_multicast
        if not is_public and not (with_loopback and inner.is_loopback):
            raise PrivateAddress
    return min(found, key=lambda text: (":" in text, text))
