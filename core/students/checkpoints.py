"""Checkpoints: everything a run needs to go on as if it had never stopped.

checkpoints/epoch-3/    model.safetensors      what is trained: all parameters, or LoRA's
                        optimizer.safetensors  AdamW's moments, by parameter
                        random-0.safetensors   state of the random streams, by process
                        state.json             epoch, position in the epoch's data, step, identity

checkpoints/step-57/ is the same in the middle of an epoch, written when a run is told to stop. A checkpoint
appears complete, by a rename. Nothing in it is a pickle.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import RefusedError
from core.records import content_hash
from core.students.encoding import Example
from core.students.folder import RunFolder, put_folder, write

if TYPE_CHECKING:
    import torch

SAMPLED = 256  # values of each parameter that go into a model's fingerprint


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: epochs finished, steps done in the next one, and in all."""

    epoch: int = 0
    done: int = 0
    step: int = 0
    micro_batch: int = 0  # rows per forward pass; 0: as the config says


def trained(model: Any) -> dict[str, torch.Tensor]:
    """What is trained, by name; tied weights once."""
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def identity(config: Any, examples: list[Example], dev: list[Example], model: Any) -> dict[str, Any]:
    """What a checkpoint must share with the run that goes on from it."""
    return {
        "model": fingerprint(model),
        "data": content_hash([[e.input_ids, e.labels] for e in [*examples, *dev]]),
        "config": config.identity(),
    }


def fingerprint(model: Any) -> str:
    """Hash of every parameter's name, shape and first values, before training."""
    parts = [
        [name, list(p.shape), p.detach().flatten()[:SAMPLED].float().cpu().tolist()]
        for name, p in model.named_parameters()
    ]
    return content_hash(parts)


def preflight(folder: RunFolder, found: Path, wanted: dict[str, Any]) -> None:
    """Refuse a checkpoint of another model, training set or config."""
    was = _state(found)["identity"]
    changed = [name for name, value in wanted["config"].items() if was["config"].get(name) != value]
    reasons = {
        f"was trained with another {', '.join(changed)}": bool(changed),
        "is of another model than the student is now": was["model"] != wanted["model"],
        "was trained on other rows": was["data"] != wanted["data"],
    }
    if reason := next((reason for reason, holds in reasons.items() if holds), None):
        raise RefusedError(
            f"The checkpoint in {folder.path} {reason}: start a new run, or delete its checkpoints."
        )


def latest(folder: RunFolder) -> Path | None:
    """The checkpoint that is furthest on and can be gone on from."""
    found = [path for path in _all(folder) if (path / "optimizer.safetensors").is_file()]
    return max(found, key=lambda path: position(path).step, default=None)


def position(path: Path) -> Position:
    """Where the run stood when a checkpoint was written."""
    return Position(**_state(path)["position"])


def of_epoch(folder: RunFolder, epoch: int) -> Path:
    return folder.checkpoints / f"epoch-{epoch}"


def save(
    folder: RunFolder,
    position: Position,
    model: Any,
    optimizer: Any,
    wanted: dict[str, Any],
    accelerator: Any,
) -> Path:
    """Write a checkpoint; each process adds its random state, the main one the rest."""
    from safetensors.torch import save_file

    name = f"epoch-{position.epoch}" if position.done == 0 else f"step-{position.step}"
    making, target = folder.checkpoints / f".{name}", folder.checkpoints / name
    if accelerator.is_main_process:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
    accelerator.wait_for_everyone()
    save_file(_random_state(), making / f"random-{accelerator.process_index}.safetensors")
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        save_file({k: v.contiguous().cpu() for k, v in trained(model).items()}, making / "model.safetensors")
        save_file(_moments(model, optimizer), making / "optimizer.safetensors")
        state = {"position": asdict(position), "identity": wanted}
        write(making / "state.json", json.dumps(state))
        put_folder(making, target)
    accelerator.wait_for_everyone()
    return target


def restore(path: Path, model: Any, optimizer: Any, accelerator: Any) -> Position:
    """Put a checkpoint's weights, moments and random state in place."""
    from safetensors.torch import load_file

    load_weights(path, model)
    _set_moments(model, optimizer, load_file(path / "optimizer.safetensors"))
    random = path / f"random-{accelerator.process_index}.safetensors"
    if not random.is_file():
        raise RefusedError(
            f"The checkpoint {path} was written by fewer processes: go on with as many as before."
        )
    _set_random_state(load_file(random))
    return position(path)


def load_weights(path: Path, model: Any) -> None:
    """Copy a checkpoint's weights into a model; RefusedError where names or shapes differ."""
    import torch
    from safetensors.torch import load_file

    own, saved = trained(model), load_file(path / "model.safetensors")
    if own.keys() != saved.keys() or any(own[name].shape != saved[name].shape for name in own):
        raise RefusedError(f"The checkpoint {path} is of a model of another shape: start a new run.")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(saved[name])


def prune(folder: RunFolder, keep: set[int], newest: int) -> None:
    """Delete checkpoints but the newest ones and those of the given epochs."""
    steps = {path: position(path).step for path in _all(folder)}
    epochs = sorted((path for path in steps if path.name.startswith("epoch-")), key=lambda p: -steps[p])
    kept = {*epochs[:newest], *(of_epoch(folder, number) for number in keep)}
    for path in steps.keys() - kept:
        if epochs and steps[path] <= steps[epochs[0]]:
            shutil.rmtree(path, ignore_errors=True)


def forget_optimizers(folder: RunFolder) -> None:
    """Once a run is done nothing goes on from its checkpoints; their weights stay."""
    for path in _all(folder):
        (path / "optimizer.safetensors").unlink(missing_ok=True)


def _all(folder: RunFolder) -> list[Path]:
    return [file.parent for file in folder.checkpoints.glob("[!.]*/state.json")]


def _state(path: Path) -> dict[str, Any]:
    return json.loads((path / "state.json").read_text(encoding="utf-8"))


def _moments(model: Any, optimizer: Any) -> dict[str, torch.Tensor]:
    """AdamW's state as flat tensors: "layer.weight/exp_avg" and so on."""
    import torch

    names = list(trained(model))
    return {
        f"{names[i]}/{key}": torch.as_tensor(value).detach().cpu().contiguous()
        for i, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }


def _set_moments(model: Any, optimizer: Any, flat: dict[str, torch.Tensor]) -> None:
    at = {name: i for i, name in enumerate(trained(model))}
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in flat.items():
        parameter, key = name.rsplit("/", 1)
        state.setdefault(at[parameter], {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _random_state() -> dict[str, torch.Tensor]:
    import torch

    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_state(states: dict[str, torch.Tensor]) -> None:
    import torch

    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
