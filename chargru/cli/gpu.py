"""Whether a command computes on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from chargru.cli.output import narrate
from chargru.errors import BackendError

if TYPE_CHECKING:
    from chargru.engine.device import Device
    from chargru.engine.parameters import Parameters


def backend_option(help: str) -> Callable[[Any], Any]:
    """`--backend`, with what it means for this command."""
    choices = click.Choice(["auto", "numpy", "cupy"])
    return click.option("--backend", type=choices, default="auto", show_default=True, help=help)


def device_for(parameters: Parameters, backend: str, operations: float) -> Device | None:
    """The GPU for a model and so much work; None for the processor. Tells why where it was to be had and is not.

    Raises:
        BackendError: "cupy", and there is no GPU to be had, or the model is not for one.
    """
    from chargru.completion.on_device import WORTH
    from chargru.engine import choose_backend
    from chargru.training.trusted import verify

    if backend == "numpy" or (backend == "auto" and operations < WORTH):
        return None
    if parameters.flat.dtype != "float32":
        if backend == "cupy":
            problem = f"this model is in {parameters.flat.dtype}, and the GPU path is float32 only"
            raise BackendError(problem, "use --backend numpy")
        return None
    chosen = choose_backend(backend, verify=verify)
    if chosen.note:
        narrate(chosen.note)
    return chosen.gpu
