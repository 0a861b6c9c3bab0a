"""The web process: binds its address, says where, and answers until it is told to end."""

import signal
import sys
from types import FrameType

import uvicorn

from dps.kernel.collecting import spare_what_is_loaded
from dps.kernel.logs import configure
from dps.kernel.settings import Settings
from web.app import create_app
from web.assembly import opened
from web.patience import PatientProtocol
from web.serving import bound

GRACE_S = 10
"""How long an answer under way may take after the signal to end."""


def listen(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then end what is under way. Misconfigured where the address can't be had."""
    configure(settings.log_level)
    with opened(settings) as installation, bound(settings.host, settings.port) as address:
        app = create_app(installation)
        spare_what_is_loaded()
        # What was noted before this process began.
        app.state.notes.tell_soon()
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                # uvloop where there is one: it answers without giving the interpreter away to whoever stores bids, and
                # so does not wait for it at each answer of a burst.
                loop="auto",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=GRACE_S,
                lifespan="on",
            )
        )
        site = f"http://{settings.host}:{address.getsockname()[1]}"

        def end(_number: int, _frame: FrameType | None) -> None:
            """uvicorn raises the signal that ended it once more when it is done; one may come before it listens."""
            server.should_exit = True

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            sys.stdout.write(f"Serving on {site} (API manual: {site}/api/docs)\n")
            sys.stdout.flush()
            server.run(sockets=[address])
        finally:
            app.state.notes.end()
            for number, handler in before.items():
                signal.signal(number, handler)
