import copy
import inspect
import pickle
import re
from importlib import metadata

import pytest

from rekog_emotion import errors
from rekog_emotion.errors import (
    AccessDeniedError,
    CallCancelledError,
    CallTimeoutError,
    ConfigurationError,
    IdempotentParameterMismatchError,
    InternalServiceError,
    InvalidInputError,
    InvalidMediaError,
    InvalidPaginationTokenError,
    InvalidParameterError,
    InvalidS3ObjectError,
    JobCancelledError,
    JobError,
    JobFailedError,
    JobNotFoundError,
    JobTimeoutError,
    LimitExceededError,
    MissingExtraError,
    PaginationError,
    RekogEmotionError,
    ResponseError,
    ServiceError,
    StagingError,
    ThrottledError,
    TransportError,
)

SERVICE_FIELDS = {"operation": "DetectFaces", "code": "Code", "request_id": "r-1", "status": 400, "job_id": "j-1"}
# Class, arguments, fields: every field has a value of its own, so that none can be lost or swapped unseen.
CASES = [
    (RekogEmotionError, ("text",), {}),
    (InvalidInputError, ("text",), {}),
    (ConfigurationError, ("text",), {}),
    (MissingExtraError, ("reading video",), {"extra": "embedded"}),
    (TransportError, ("text",), {"operation": "GetFaceDetection", "job_id": "j-1"}),
    (CallCancelledError, ("text",), {"operation": "DetectFaces", "job_id": None}),
    (CallTimeoutError, ("text",), {"operation": "DetectFaces", "job_id": None}),
    (ServiceError, ("text",), SERVICE_FIELDS),
    (AccessDeniedError, ("text",), SERVICE_FIELDS),
    (IdempotentParameterMismatchError, ("text",), SERVICE_FIELDS),
    (InternalServiceError, ("text",), SERVICE_FIELDS),
    (InvalidMediaError, ("text",), SERVICE_FIELDS),
    (InvalidPaginationTokenError, ("text",), SERVICE_FIELDS),
    (InvalidParameterError, ("text",), SERVICE_FIELDS),
    (InvalidS3ObjectError, ("text",), SERVICE_FIELDS),
    (JobNotFoundError, ("text",), SERVICE_FIELDS),
    (LimitExceededError, ("text",), SERVICE_FIELDS),
    (ThrottledError, ("text",), SERVICE_FIELDS),
    (ResponseError, ("text",), {"path": "FaceDetails[0]", "job_id": "j-1"}),
    (StagingError, ("text",), {"bucket": "b", "key": "k", "job_id": "j-1"}),
    (JobError, ("text",), {"job_id": "j-1"}),
    (JobCancelledError, ("text",), {"job_id": "j-1", "state": {"job_id": "j-1"}}),
    (JobFailedError, ("text",), {"job_id": "j-1"}),
    (JobTimeoutError, ("text",), {"job_id": "j-1", "state": {"job_id": "j-1"}}),
    (PaginationError, ("text",), {"job_id": "j-1"}),
]
COPIES = {
    **{f"pickle-{n}": lambda error, n=n: pickle.loads(pickle.dumps(error, n)) for n in range(6)},  # noqa: S301 -- our own bytes
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def classes():
    """Return the public error classes that the module defines."""
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and not name.startswith("_")
    }


def public_parents(kind):
    """Return the names of a class's parents, with the parents of private ones in their place."""
    return [
        name
        for base in kind.__bases__
        for name in (public_parents(base) if base.__name__.startswith("_") else [base.__name__])
    ]


def drawn_tree():
    """Read the drawing in the module's docstring: name to names of the parents."""
    tree, branch = {}, {}
    drawing = errors.__doc__.split("::\n\n")[1].split("\n\n")[0]
    for line in drawing.splitlines():
        indent, name, builtin = re.fullmatch(r"([ |]*(?:\|- )?)(\w+)(?: \((\w+)\))?(?:  .+)?", line).groups()
        branch[len(indent)] = name
        parents = [branch.get(len(indent) - 3, "Exception"), *filter(None, [builtin])]
        tree[name] = parents
    return tree


def test_drawing_is_the_tree():
    """The tree in the docstring shows every class with its parents, and nothing else."""
    assert {name: public_parents(kind) for name, kind in classes().items()} == drawn_tree()


def test_every_class_is_exported():
    """``__all__`` is sorted and has every class of the tree."""
    assert sorted(classes()) == errors.__all__


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (InvalidInputError, ValueError),
        (MissingExtraError, ImportError),
        (TransportError, ConnectionError),
        (TransportError, OSError),
        (CallTimeoutError, TimeoutError),
        (CallTimeoutError, ConnectionError),
        (JobTimeoutError, TimeoutError),
        (JobTimeoutError, JobError),
    ],
)
def test_built_in_parents(kind, builtin):
    """Who catches the built-in class catches ours."""
    assert issubclass(kind, builtin)


def test_every_class_is_tried():
    """The table above has every class of the tree."""
    assert set(classes().values()) == {kind for kind, _, _ in CASES}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES.keys())
@pytest.mark.parametrize(("kind", "args", "fields"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_copies_keep_everything(kind, args, fields, duplicate):
    """An error that crossed a process pool has its class, message, fields and notes."""
    error = kind(*args, **fields)
    error.add_note("seen in frame 7")

    twin = duplicate(error)

    assert twin is not error
    assert type(twin) is kind
    assert (twin.message, str(twin), twin.args) == (error.message, str(error), error.args)
    assert {name: getattr(twin, name) for name in fields} == fields
    assert twin.__notes__ == ["seen in frame 7"]
    assert twin.__dict__ == error.__dict__


@pytest.mark.parametrize(("kind", "args", "fields"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_can_be_raised_and_caught(kind, args, fields):
    """Every class is caught by the base, with the text it was given."""
    with pytest.raises(RekogEmotionError) as caught:
        raise kind(*args, **fields)

    assert args[0] in str(caught.value)
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(("kind", "args", "fields"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_fields_are_optional(kind, args, fields):
    """What is not known is ``None``, but for a missing extra's name, and a path: "" is the whole answer."""
    needed = {name: fields[name] for name in fields if name == "extra"}

    error = kind(*args, **needed)

    expected = {name: "" if name == "path" else None for name in fields} | needed
    assert {name: getattr(error, name) for name in fields} == expected


def test_import_error_keeps_its_message():
    """``ImportError`` has its text in ``msg`` too, and that survives pickling."""
    error = MissingExtraError("reading video", extra="embedded")

    assert pickle.loads(pickle.dumps(error)).msg == error.msg == str(error)  # noqa: S301 -- our own bytes


def test_missing_extra_names_the_package_that_is_published():
    """Pip knows the package by the name of its distribution, not of its import, and the extra by its own."""
    distribution = metadata.metadata("rekog-emotion")

    for extra in distribution.get_all("Provides-Extra"):
        name = f"'{distribution['Name']}[{extra}]'"
        assert str(MissingExtraError("It", extra=extra)) == f"It needs the {extra!r} extra: pip install {name}"


def test_missing_extra_is_the_command():
    """The message of a missing extra is the command that mends it, quoted for the shell."""
    error = MissingExtraError('client="embedded"', extra="embedded")

    assert str(error) == "client=\"embedded\" needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("FaceDetails[2].Emotions[0].Confidence", "FaceDetails[2].Emotions[0].Confidence: expected a number, got str"),
        ("", "expected a number, got str"),
    ],
)
def test_response_error_begins_with_the_path(path, text):
    """The message begins with where in the answer, if it is about a part of it."""
    assert str(ResponseError("expected a number, got str", path=path)) == text
