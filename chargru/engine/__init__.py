"""Arrays in, arrays out: the GRU, its loss and gradients, the optimizer and the sampler.

Knows NumPy, LLVM and CuPy; knows nothing of files, text, events or screens. Start reading at `chargru.engine.gru`.
"""

from chargru.engine.backend import Backend, choose_backend
from chargru.engine.device import Device, DeviceFacts
from chargru.engine.device_lesson import DeviceLesson
from chargru.engine.device_network import DeviceNetwork
from chargru.engine.device_sampling import sample_many
from chargru.engine.dropout import generator
from chargru.engine.fused.choice import compiles
from chargru.engine.fused.companion import allow_companion
from chargru.engine.network import Network
from chargru.engine.optimizer import Adam, global_norm, learning_rate_at
from chargru.engine.parameters import Parameters, flops_per_character, parameter_count, parameter_shapes
from chargru.engine.sampling import draw, probabilities, surprisal
from chargru.engine.shard import Regularization
from chargru.engine.stepping import WINDOW, Stepper
from chargru.engine.threads import Crew, available_cores, crew_for

__all__ = [
    "WINDOW",
    "Adam",
    "Backend",
    "Crew",
    "Device",
    "DeviceFacts",
    "DeviceLesson",
    "DeviceNetwork",
    "Network",
    "Parameters",
    "Regularization",
    "Stepper",
    "allow_companion",
    "available_cores",
    "choose_backend",
    "compiles",
    "crew_for",
    "draw",
    "flops_per_character",
    "generator",
    "global_norm",
    "learning_rate_at",
    "parameter_count",
    "parameter_shapes",
    "probabilities",
    "sample_many",
    "surprisal",
]
