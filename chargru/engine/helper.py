"""The child's side of `chargru.engine.helpers`: shards of networks, whose windows it computes when it is told to.

Messages and answers are one packet of JSON each. {"op": "build", "network": key, ...} comes with the descriptor of an
arena and makes a shard; {"op": "window", "network": key, ...} has it read the weights and the ids in the arena, write
its gradients and its part of the state there, and answers with its loss.
"""

from __future__ import annotations

import json
import signal
import socket
import traceback
from typing import Any

from chargru.engine.helpers import MESSAGE_BYTES
from chargru.engine.remote import RemoteShard


def main(descriptor: int) -> None:
    """Serve the socket `descriptor` until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shards: dict[int, RemoteShard] = {}
    with socket.socket(fileno=descriptor) as server:
        while True:
            data, files, _, _ = socket.recv_fds(server, MESSAGE_BYTES, 1)
            if not data:
                return
            answer = json.dumps(_answer(shards, json.loads(data), files)).encode()
            try:
                server.send(answer)
            except OSError:  # the other side went away meanwhile
                return


def _answer(shards: dict[int, RemoteShard], message: dict[str, Any], files: list[int]) -> dict[str, Any]:
    operation, key = message.pop("op"), message.pop("network")
    try:
        if operation == "build":
            shards[key] = RemoteShard(descriptor=files[0], **message)
            return {"result": None}
        return {"result": shards[key].window(**message)}
    except MemoryError:
        return {"error": "memory"}
    except Exception:
        return {"error": traceback.format_exc()[-MESSAGE_BYTES // 4 :]}
