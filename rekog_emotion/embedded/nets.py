"""ONNX Runtime sessions over the packaged weight files."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from rekog_emotion import forks
from rekog_emotion.errors import ConfigurationError, InvalidInputError

# From 1.29 on ONNX Runtime sends usage data unless it is told not to before it is loaded. Whoever set the variable, or
# loaded it before us, has chosen.
_is_ours_to_choose = "ORT_DISABLE_TELEMETRY" not in os.environ and "onnxruntime" not in sys.modules
if _is_ours_to_choose:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # noqa: E402 -- said above

if _is_ours_to_choose:
    onnxruntime.disable_telemetry_events()  # Windows' own way, which older versions have, too

__all__ = [
    "ALONE",
    "MAX_BATCH",
    "WEIGHTS",
    "ByteArray",
    "Device",
    "FloatArray",
    "Hardware",
    "Net",
    "read_weights",
    "sigmoid",
    "told",
]

FloatArray: TypeAlias = NDArray[np.floating[Any]]
ByteArray: TypeAlias = NDArray[np.uint8]

WEIGHTS = Path(__file__).parent / "weights"
# What one call works on: more falls out of a CPU's cache (eight views at once cost the detector a tenth more) and takes
# memory (13 MB from three faces to four, which are no faster).
MAX_BATCH = 3
# A child that is forked meanwhile would find what ONNX Runtime has locked.
_LOADING = threading.RLock()
forks.never_while_held(_LOADING)

_MANIFEST = "manifest.json"
_intact: set[str] = set()  # names of the files that were found to be those of the manifest


def read_weights(name: str) -> bytes:
    """Read a file of weights, which has to be the one that was shipped: its sha256 is checked once a process.

    (That takes 7 ms for all of them; loading the networks takes 250.)

    Raises:
        ConfigurationError: It is missing, damaged or cannot be read.
    """
    data = _read(name)
    if name not in _intact:
        if hashlib.sha256(data).hexdigest() != told(name, "sha256"):
            raise _unusable(name, "is damaged")
        _intact.add(name)
    return data


def told(name: str, member: str) -> Any:  # noqa: ANN401 -- of JSON
    """Return what the manifest says of a file of weights.

    Args:
        name: The file's.
        member: ``"sha256"``, ``"clean"`` ...

    Raises:
        ConfigurationError: The manifest is missing, damaged or cannot be read.
    """
    try:
        return json.loads(_read(_MANIFEST))[name][member]
    except (ValueError, LookupError, TypeError) as error:
        raise _unusable(_MANIFEST, "is damaged") from error


def _read(name: str) -> bytes:
    try:
        return (WEIGHTS / name).read_bytes()
    except FileNotFoundError as error:
        raise _unusable(name, "is missing") from error
    except OSError as error:
        raise _unusable(name, f"cannot be read ({error.strerror})") from error


def _unusable(name: str, what: str) -> ConfigurationError:
    message = (
        f"the embedded engine's file {WEIGHTS / name} {what}; install the package anew: "
        "pip install --force-reinstall --no-deps rekog-emotion"
    )
    return ConfigurationError(message)


Device: TypeAlias = Literal["auto", "cpu", "cuda", "directml", "coreml"]

# TF32 would round as half precision does.
_PROVIDERS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "cpu": ("CPUExecutionProvider", {}),
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),
    "directml": ("DmlExecutionProvider", {}),
    "coreml": ("CoreMLExecutionProvider", {}),
}
_AUTOMATIC: Final = ("cuda", "directml")  # CoreML rounds to half precision on some chips
_PACKAGES: Final = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml", "coreml": "onnxruntime"}


@frozen
class Hardware:
    """What networks run on.

    Attributes:
        threads: Threads that one call may use.
        device: ``"auto"`` is the first graphics processor that the installed ONNX Runtime can use, else the CPU.

    Raises:
        InvalidInputError: There is no such device.
        ConfigurationError: The installed ONNX Runtime cannot use it.
    """

    threads: int = 1
    device: Device = field(default="cpu")

    @device.validator
    def _check(self, _: object, device: object) -> None:
        if device not in ("auto", *_PROVIDERS):
            msg = f"unknown device {device!r}: use 'auto', " + ", ".join(map(repr, _PROVIDERS))
            raise InvalidInputError(msg)
        if device in ("auto", "cpu"):
            return
        has = onnxruntime.get_available_providers()
        if _PROVIDERS[str(device)][0] not in has:
            msg = (
                f"device={device!r} needs an ONNX Runtime with {_PROVIDERS[str(device)][0]}, and the installed one has "
                f"{', '.join(has)}: pip uninstall onnxruntime, then pip install {_PACKAGES[str(device)]}; or pass "
                "device='cpu'"
            )
            raise ConfigurationError(msg)

    def providers(self) -> list[tuple[str, dict[str, str]]]:
        """Return ONNX Runtime's providers, best first; the CPU does what the first cannot."""
        has = onnxruntime.get_available_providers()
        names = _AUTOMATIC if self.device == "auto" else (self.device,)
        chosen = [_PROVIDERS[name] for name in names if _PROVIDERS[name][0] in has][:1]
        return [*chosen, *(one for one in (_PROVIDERS["cpu"],) if one not in chosen)]


ALONE: Final = Hardware()


class Net:
    """One network; safe to call from several threads at once.

    Args:
        name: Stem of the weight file.
        on: What it runs on.
    """

    def __init__(self, name: str, *, on: Hardware = ALONE) -> None:
        self.name = name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = on.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A plan of memory for each shape takes, from the second picture of a shape on, a second block beside what the
        # first was given piece by piece (of 1280 pixels 51 MB more than 62), and saves no time.
        options.enable_mem_pattern = False
        if on.threads == 1:
            # A lone thread has nobody to spin for.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        file = f"{name}.onnx"
        with _LOADING:
            read_weights(file)
            # Given bytes, the session would hold them as long as it lives: 17 MB of all networks.
            self._session = onnxruntime.InferenceSession(str(WEIGHTS / file), options, providers=on.providers())
        (told,) = self._session.get_inputs()
        self._input = told.name
        self.dtype: type[Any] = np.uint8 if told.type == "tensor(uint8)" else np.float32

    def __call__(self, batch: FloatArray | ByteArray) -> list[FloatArray]:
        """Return the network's outputs for a batch, which is the first axis of input and outputs alike."""
        parts = [
            self.run(np.ascontiguousarray(batch[start : start + MAX_BATCH], self.dtype))
            for start in range(0, len(batch), MAX_BATCH)
        ]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def run(self, batch: FloatArray | ByteArray) -> list[FloatArray]:
        """Return the outputs for a contiguous batch of the type that the network takes, in one call."""
        outputs: list[FloatArray] = self._session.run(None, {self._input: batch})
        return outputs


def sigmoid(logit: Any) -> Any:  # noqa: ANN401 -- numbers and arrays alike, as numpy's own functions
    """Return the probability, 0..1, of a logit or an array of logits."""
    if isinstance(logit, float):  # forty a face, of each of which numpy takes twenty times as long
        return 1 / (1 + math.exp(-min(60.0, max(-60.0, logit))))
    return 1 / (1 + np.exp(-np.clip(logit, -60, 60)))
