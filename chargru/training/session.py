"""From a request to a trainer: read the text, choose what was left open, make the run or open it again."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from chargru.config import ModelConfig, TrainingConfig, TrainRequest
from chargru.engine import Backend, Parameters, available_cores
from chargru.errors import ChargruError, ConfigError, RunError, TextError
from chargru.storage import checkpoint as checkpoints
from chargru.storage.checkpoint import Checkpoint, CorpusIdentity
from chargru.storage.runs import Run, find_model, runs_root
from chargru.text.blocks import Progress
from chargru.text.stream import fit_shape
from chargru.training import autotune, backends, reading
from chargru.training.device_place import OnDevice
from chargru.training.material import Material
from chargru.training.pilot import Pilot
from chargru.training.reading import TextRead
from chargru.training.speed import characters_in, machine_speed
from chargru.training.trainer import Trainer

DEFAULT_SECONDS = 180.0
_TEXT_COPY = "text.txt"  # in a run whose text came through a pipe and could not be read again
_FIXED = ("hidden_size", "num_layers", "batch_size", "seq_len", "seed", "val_fraction")
_BUDGETS = ("time", "steps", "epochs")


def open_session(request: TrainRequest, progress: Progress | None = None) -> Trainer:
    """A trainer that is ready to `run`.

    `progress` is told, while a large text is read, how many bytes are done and how many there are to do; what it raises
    ends the reading, and nothing is left behind.

    Raises:
        ChargruError: the text cannot be read, the sizes are impossible, the run cannot be continued, and the like;
            always one clear line.
    """
    backend = backends.backend_for(request)
    threads = request.threads or available_cores()
    begin = _resume if request.resume is not None else _begin
    run, material, model, training, checkpoint, best, notes, backend = begin(request, backend, threads, progress)

    def trainer(on: Backend) -> Trainer:
        return Trainer(
            material,
            model,
            training,
            run,
            threads=threads,
            backend=on.name,
            device=on.device,
            place=None if on.gpu is None else OnDevice(on.gpu, model, training),
            resume=checkpoint,
            best_weights=best,
            notes=backends.about(on, model, training) + notes,
            sample_prompt=request.sample_prompt,
            pilot=None if request.pilot is None else Pilot.recall(request.pilot),
        )

    return backends.attempted(request, backend, trainer)[1]


_Opened = tuple[Run, Material, ModelConfig, TrainingConfig, Checkpoint | None, Any, tuple[str, ...], Backend]


# -- a new run --------------------------------------------------------------------------------------------------------


def _begin(request: TrainRequest, backend: Backend, threads: int, progress: Progress | None) -> _Opened:
    assert request.corpus is not None
    text = reading.read(request.corpus, encoding=request.encoding, replace=request.replace_bad_bytes, progress=progress)
    given = {each.name: getattr(request, each.name) for each in fields(request)}
    fraction = 0.1 if request.val_fraction is None else request.val_fraction
    material = text.material(fraction)

    def sizes(on: Backend) -> tuple[ModelConfig, TrainingConfig, tuple[str, ...]]:
        return _sizes(request, given, material, on, threads)

    backend, (model, training, notes) = backends.attempted(request, backend, sizes)
    place = backends.with_room(request, backend, model, training, len(material.train))
    if place is not backend:  # the smallest sizes for the GPU are not those for the processor
        backend = place
        model, training, notes = sizes(backend)
    run = Run.create(
        runs_root(request.out),
        request.name or _name(text.corpus),
        _record(material.corpus, model, training),
    )
    if request.corpus == "-":
        notes += (_keep_copy(text, run.path / _TEXT_COPY),)
    return run, material, model, training, None, None, text.notes + text.about_ids + notes, backend


def _keep_copy(text: TextRead, path: Path) -> str:
    """Keep what came through standard input, or say why it cannot be kept."""
    try:
        text.write_copy(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        reason = error.strerror or error
        return f"the text from standard input could not be kept in the run, which cannot be resumed: {reason}"
    return f"the text from standard input is kept in the run as {path.name}, so that it can be resumed"


def _sizes(
    request: TrainRequest, given: dict[str, Any], material: Material, backend: Backend, threads: int
) -> tuple[ModelConfig, TrainingConfig, tuple[str, ...]]:
    """What the user gave by hand, the rest chosen for the text, the budget and this machine; with notes."""
    characters, V = len(material.train), material.vocabulary.size
    budget = {name: given[name] for name in _BUDGETS if given[name] is not None} or {"time": DEFAULT_SECONDS}
    if backend.gpu is not None:
        chosen = backends.sizes_for_device(backend.gpu, budget, request, characters, V)
    else:
        chosen = autotune.choose(characters, V, _seen(budget, request, characters, V, threads))
    names = {each.name for each in fields(TrainingConfig)} | {"hidden_size", "num_layers"}
    values = {each.name: getattr(chosen, each.name) for each in fields(chosen)}
    values |= {name: value for name, value in given.items() if name in names and value is not None}
    model = ModelConfig(V, values.pop("hidden_size"), values.pop("num_layers"))
    batch_size, seq_len = fit_shape(characters, values["batch_size"], values["seq_len"])
    notes: tuple[str, ...] = ()
    if (batch_size, seq_len) != (values["batch_size"], values["seq_len"]):
        notes += (f"the text is short: training reads it in {batch_size} streams, {seq_len} characters at a time",)
    if len(material.val) < 2:
        notes += ("the text is too short to hold a part out: there is no validation loss, the last weights are kept",)
    if V > 5000:
        notes += (
            f"{V:,} distinct characters make the output layer slow and hard to learn; a smaller script is faster",
        )
    training = TrainingConfig.from_dict(values | budget | {"batch_size": batch_size, "seq_len": seq_len})
    return model, training, notes


def _seen(
    budget: dict[str, Any], request: TrainRequest, characters: int, vocab_size: int, threads: int
) -> Callable[[int, int], float]:
    """How many characters the budget reads, by units and layers; one of time needs the machine's speed."""
    if "time" not in budget:
        window = (request.batch_size or autotune.BATCH_SIZE) * (request.seq_len or autotune.SEQ_LEN)
        count = budget["steps"] * window if "steps" in budget else budget["epochs"] * characters
        return lambda hidden_size, num_layers: count
    return characters_in(budget["time"], vocab_size, machine_speed(threads))


def _name(corpus: CorpusIdentity) -> str:
    name = "stdin" if corpus.name in ("-", "standard input") else Path(corpus.name).stem or corpus.name
    return f"{name}-{datetime.datetime.now():%m%d-%H%M%S}"


def _record(corpus: CorpusIdentity, model: ModelConfig, training: TrainingConfig) -> dict[str, Any]:
    """What run.json says of a new run."""
    return {"status": "starting", "corpus": asdict(corpus), "model": model.to_dict(), "training": training.to_dict()}


# -- a run that goes on -----------------------------------------------------------------------------------------------


def _resume(request: TrainRequest, backend: Backend, threads: int, progress: Progress | None) -> _Opened:
    assert request.resume is not None
    root = runs_root(request.out)
    run, path, checkpoint, notes = _open_run(request.resume, root)
    training = _changed(request, checkpoint)
    backend = backends.backend_again(request, training, backend)
    text = _text_again(request, path.parent, checkpoint.corpus, progress)
    again = request.encoding is None and Path(text.corpus.source).is_file()
    if again and text.corpus.sha256 != checkpoint.corpus.sha256:
        # the encoding may have been given by hand when the run began
        given = request.with_(encoding=checkpoint.corpus.encoding)
        text = _text_again(given, path.parent, checkpoint.corpus, progress)
    material = text.material(training.val_fraction)
    if material.corpus.sha256 != checkpoint.corpus.sha256:
        raise RunError(
            f"{material.corpus.source} is not the text this run learned: it has {material.corpus.characters:,} "
            f"characters and SHA-256 {material.corpus.sha256[:12]}…, the run's {checkpoint.corpus.characters:,} and "
            f"{checkpoint.corpus.sha256[:12]}…",
            "give the unchanged text: chargru train PATH --resume RUN",
        )
    backend = backends.with_room(request, backend, checkpoint.model, training, len(material.train))
    run.truncate_metrics(checkpoint.step)
    best, more = _best_weights(run, checkpoint)
    notes += (f"going on from step {checkpoint.step:,} ({path.name})", *text.about_ids, *more)
    return run, material, checkpoint.model, training, checkpoint, best, notes, backend


def _open_run(spec: str, root: Path) -> tuple[Run, Path, Checkpoint, tuple[str, ...]]:
    """The run that `spec` names and the checkpoint to go on from: the newest that is whole, or the very file named.

    A file that is not its run's newest, or lies in no run, starts a new run, so that nothing later is overwritten.
    """
    path = find_model(spec, root)
    if not (Path(spec).suffix == ".safetensors" and Path(spec).is_file()):
        run = Run.open(path.parent)
        newest, checkpoint, notes = run.latest()
        return run, newest, checkpoint, tuple(notes)
    checkpoint = checkpoints.load(path)
    try:
        run = Run.open(path.parent)
        if run.latest()[0].name == path.name:
            return run, path, checkpoint, ()
        origin = run.name
    except ChargruError:
        origin = path.stem
    record = _record(checkpoint.corpus, checkpoint.model, checkpoint.training)
    branch = Run.create(root, f"{origin}-from-{checkpoint.step}", record)
    branch.save(checkpoint, best=True)
    return branch, path, checkpoint, (f"going on in a new run, {branch.name}: nothing of the old one is touched",)


def _changed(request: TrainRequest, checkpoint: Checkpoint) -> TrainingConfig:
    """The run's settings with those that may change on the way: the budget, the rate, regularisation, evaluations."""
    old = checkpoint.training
    for name in _FIXED:
        asked = getattr(request, name)
        had = getattr(checkpoint.model if name in ("hidden_size", "num_layers") else old, name)
        if asked is not None and asked != had:
            raise ConfigError(f"{name} cannot change on the way: this run has {had}", "start a new run for that")
    changes = {
        each.name: getattr(request, each.name)
        for each in fields(request)
        if each.name in {known.name for known in fields(old)}
        and each.name not in _FIXED
        and getattr(request, each.name) is not None
    }
    if any(name in changes for name in _BUDGETS):
        changes = dict.fromkeys(_BUDGETS) | changes
    training = old.with_(**changes)
    spent = {"time": checkpoint.seconds, "steps": checkpoint.step}
    for name, done in spent.items():
        budget = getattr(training, name)
        if budget is not None and done >= budget:
            unit = " s" if name == "time" else ""
            raise RunError(
                f"this run has spent its budget: {done:,.0f} of {budget:,.0f}{unit}",
                f"give it a larger one: --{name} {'5m' if name == 'time' else 2 * int(budget)}",
            )
    return training


def _text_again(request: TrainRequest, directory: Path, corpus: CorpusIdentity, progress: Progress | None) -> TextRead:
    """The text of the run, from where it was read before or from where the user says that it is now."""
    if request.corpus is not None:
        return _read_again(request.corpus, request, corpus, progress)
    copy = directory / _TEXT_COPY
    if copy.is_file():
        return reading.read_copy(copy, progress)
    try:
        return _read_again(corpus.source, request, corpus, progress)
    except TextError as error:
        raise RunError(
            f"the text of this run cannot be read again: {error.message}",
            "say where it is now: chargru train PATH --resume RUN",
        ) from error


def _read_again(spec: str, request: TrainRequest, corpus: CorpusIdentity, progress: Progress | None) -> TextRead:
    """The text in the first way in which it can be read: when the run began, an encoding may have been given by hand
    and bad bytes replaced. Whether it is the same text, its SHA-256 says afterwards.
    """
    encodings = [request.encoding]
    if request.encoding is None and corpus.encoding != "mixed":
        encodings.append(corpus.encoding)
    failures: list[TextError] = []
    for replace in (request.replace_bad_bytes, True):
        for encoding in encodings:
            try:
                return reading.read(spec, encoding=encoding, replace=replace, progress=progress)
            except TextError as error:
                failures.append(error)
    raise failures[0]


def _best_weights(run: Run, checkpoint: Checkpoint) -> tuple[Any, tuple[str, ...]]:
    """The averaged weights that scored best so far, if they are not the ones that training goes on from."""
    if checkpoint.best_loss is None or checkpoint.best_step == checkpoint.step:
        return checkpoint.averaged.copy(), ()
    try:
        best = checkpoints.load(run.best())
    except ChargruError as error:
        return None, (f"the best checkpoint cannot be read and no longer competes: {error.message}",)
    if best.step != checkpoint.best_step:  # a branch does not have it, and starts afresh from here
        return None, ()
    return Parameters(best.model, best.training.dtype, best.averaged).flat, ()
