"""The solver's process: answers requests from its standard input until that ends. Started by `process`, not by hand."""

import json
import os
import sys
from dataclasses import astuple

from matching.allocation.compile import compile_everything
from matching.allocation.process import ANSWER, FAILED, HEADER, PREPARE, PROGRESS, frame
from matching.allocation.solving import answer_request


def main() -> None:
    """Serve; a fault is answered in words, so that the parent can say why the greedy award stands in."""
    incoming = sys.stdin.buffer
    # Anything that a library prints must not get between the frames.
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(kind: bytes, text: str) -> None:
        outgoing.write(frame(kind, text))
        outgoing.flush()

    send(ANSWER, "")
    while header := incoming.read(HEADER):
        request = incoming.read(int.from_bytes(header[1:], "big")).decode()
        try:
            if request == PREPARE:
                compile_everything()
                send(ANSWER, "")
            else:
                send(ANSWER, answer_request(request, lambda best: send(PROGRESS, json.dumps(astuple(best)))))
        except Exception as fault:
            send(FAILED, f"{type(fault).__name__}: {fault}")


if __name__ == "__main__":
    main()
