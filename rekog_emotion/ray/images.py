"""The verb for photos as a dataset, and the class that analyses a batch of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, Final, cast

from attrs import evolve

from rekog_emotion.blocking.driver import Driver
from rekog_emotion.clients.connections import standing
from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.flows import batch as _batch
from rekog_emotion.flows import detecting
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.images import Asking, ImagesRequest, paced
from rekog_emotion.flows.ledger import workers_for
from rekog_emotion.flows.rate import Pace
from rekog_emotion.flows.request import Seconds
from rekog_emotion.ray.cluster import AnyClient, check_client, check_pool, cpus, made, pool_of, ready, works_by_itself
from rekog_emotion.ray.photos import Photos, check_columns, column_of
from rekog_emotion.ray.places import here, is_prefix, packed, parts, reached, unpacked
from rekog_emotion.ray.rate import ClusterPace
from rekog_emotion.results.outcome_tables import OutcomeSink
from rekog_emotion.sources.collections import LeftOut, Unusable
from rekog_emotion.sources.naming import name_of
from rekog_emotion.values.s3 import S3, S3Object

with needs("ray", "Ray Data"):
    import pyarrow as pa
    import ray
    from ray.data import Dataset

__all__ = ["DetectImages", "detect_images"]

# The fewest and the most photos that are done as one, and again where their process is lost: by a client that works by
# itself, and by a service, which is asked for as many at a time.
_ALONE, _SERVED = (4, 32), (32, 128)
_AT_ONCE: Final = 10_000  # that are found
_ACTORS: Final = 2  # for a service, which is what takes the time: one goes on where the other is lost


class DetectImages:
    """Finds the faces of a batch of photos; for ``Dataset.map_batches``, which makes one an actor.

    A photo that fails is a row with its ``error``, and stops no other. The columns that come out, and their types, are
    always the same. Actors of one cluster that ask one endpoint share one rate.

    Emotions are how a face looks, not what a person feels.

    Args:
        client: As for :func:`rekog_emotion.detect_image`, made once an actor; or a function without arguments that
            makes one there, since boto3's clients cannot be sent to other processes.
        attributes: Likewise.
        rate: Calls a second of the whole cluster, your quota for instance; left out, AWS's default quota of the region
            is where it begins. The embedded engine has none.
        columns: The columns that come out, in this order: those of :data:`rekog_emotion.results.tables.COLUMNS`,
            ``"error"``, and those of the dataset, which are repeated for each face of a photo. Left out, all but the
            dataset's own.
        source_column: The column that has the photos: arrays, bytes, or paths and ``s3://`` addresses. Left out, the
            first of ``image``, ``bytes``, ``path``, ``uri``, ``url``, ``source`` and ``item`` that there is. Where the
            photos are arrays or bytes, a column ``path``, ``uri`` or ``source`` names them.
        nested: Give a row a photo, with a list of all that its faces have, and not one a face.
        landmarks: Give the flat columns of the landmarks as well.
        faceless: Give a row for a photo without faces, too.
        workers: Photos at a time in one actor, each in a thread. Left out, as many as the rate needs, and one where the
            client works by itself.
        timeout: Longest wait for a photo, from its first call on: seconds, a ``timedelta``, or ``None``.

    Raises:
        InvalidInputError: An argument cannot be used.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
    """

    def __init__(
        self,
        *,
        client: AnyClient = None,
        attributes: str | Sequence[str] = "ALL",
        rate: float | None = None,
        columns: Sequence[str] | None = None,
        source_column: str | None = None,
        nested: bool = False,
        landmarks: bool = False,
        faceless: bool = False,
        workers: int | None = None,
        timeout: Seconds = detecting.TIMEOUT,
    ) -> None:
        asked = ImagesRequest(attributes=attributes, timeout=timeout, rate=rate, workers=workers)
        self._sink = OutcomeSink("images", nested=nested, landmarks=landmarks, faceless=faceless)
        self._columns = None if columns is None else _checked(columns)
        self._source_column = source_column
        driver = Driver(client=made(client))
        # It has no part in the threads: an error, which knows who asked, would keep them.
        self._outcome_of = partial(_outcome, driver, Asking.of(asked, driver.facts, _pace(driver, asked.rate)))
        number = workers or (1 if driver.facts.files else _workers(driver, asked.rate))
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="rekog-emotion-photo")

    def __call__(self, batch: Any) -> pa.Table:  # noqa: ANN401 -- a table, a frame or a mapping
        """Return the rows of a batch of photos, in their order.

        Args:
            batch: A table, a frame, or arrays by the names of columns.
        """
        photos = self._photos(batch)
        if self._columns is not None and not set(self._columns) <= set(self._sink.schema.names):
            check_columns(self._columns, self._sink.schema.names, photos.columns)
        outcomes = self._threads.map(self._outcome_of, photos.sources)
        rows = self._sink.rows(zip(photos.names, outcomes, strict=True))
        if self._columns is None:
            return rows.table
        return pa.table(
            {
                name: rows.table.column(name) if name in self._sink.schema.names else photos.carried(name, rows.numbers)
                for name in self._columns
            }
        )

    def _photos(self, batch: Any) -> Photos:  # noqa: ANN401 -- likewise
        return Photos(batch, self._source_column)


def _checked(columns: Sequence[str]) -> tuple[str, ...]:
    if isinstance(columns, str) or not all(isinstance(one, str) for one in columns):
        msg = f"columns={columns!r} is no list of names: pass for instance ['source', 'dominant_emotion', 'error']"
        raise InvalidInputError(msg)
    return tuple(columns)


def _pace(driver: Driver, quota: float | None) -> Pace | None:
    """Return the pace of all actors of the cluster; without one, that of the client."""
    if ray.is_initialized() and (quota is not None or not driver.facts.files):
        return ClusterPace(driver.client, quota)
    return driver.run(paced(driver.client, quota, facts=driver.facts, aws=standing(driver.client)["aws"]))


def _workers(driver: Driver, quota: float | None) -> int:
    known = standing(driver.client)
    return workers_for(driver.client, quota, files=driver.facts.files, region=known["region"], pool=known["pool"])


def _outcome(driver: Driver, asking: Asking, source: Any) -> ImageOutcome:  # noqa: ANN401 -- whatever a column has
    return driver.run(asking.outcome(source))


class _Found(Photos):
    """What `_find` has found: photos, and places that cannot be looked into."""

    def __init__(self, batch: pa.Table, folder: str) -> None:
        found = [one for part in unpacked(batch) for one in part]
        self.names = [one.source if isinstance(one, Unusable) else name_of(one) for one in found]
        self.sources = [reached(one, folder) for one in found]


class _DetectFound(DetectImages):
    """Finds the faces of what `_find` has found."""

    def __init__(self, *, folder: str, **options: Any) -> None:  # noqa: ANN401 -- those of the class
        super().__init__(**options)
        self._folder = folder

    def _photos(self, batch: pa.Table) -> Photos:
        return _Found(batch, self._folder)


class _Stored(Photos):
    """Objects as Ray reads them from S3."""

    def __init__(self, batch: pa.Table) -> None:
        super().__init__(batch, "bytes")
        self.names = [f"{S3}{name.removeprefix(S3)}" for name in self.names]


class _DetectStored(DetectImages):
    """Finds the faces of objects, with a client that reads none in S3."""

    def _photos(self, batch: pa.Table) -> Photos:
        return _Stored(batch)


def _find(
    batch: pa.Table, *, client: AnyClient, folder: str, actors: int, sizes: tuple[int, int]
) -> Iterator[pa.Table]:
    """Yield the photos at places as they are found, and what cannot be looked into, in parts that are done as one.

    Args:
        batch: Places, as the caller gave them.
        client: Who is to analyse the photos; S3 is listed with what it has.
        folder: Where relative paths begin.
        actors: Who do them.
        sizes: The fewest and the most photos of a part.
    """
    driver = Driver(client=made(client))
    found = (one for place in unpacked(batch) if place is not None for one in _found_at(place, driver, folder))
    # Ray up to 2.53 at least waits for ever for a block of nothing.
    yield packed(parts(list(islice(found, _AT_ONCE)), actors, *sizes) or [[]])
    while some := list(islice(found, _AT_ONCE)):
        yield packed(parts(some, actors, *sizes))


def _found_at(place: Any, driver: Driver, folder: str) -> Iterator[Any]:  # noqa: ANN401 -- a path, an address or an object
    there = reached(place, folder)
    for one in driver.iterate(_batch.found([there])):
        if isinstance(one, LeftOut):
            continue
        yield one if there is place else _renamed(one, os.path.join(folder, ""))  # noqa: PTH118 -- names stay as they are


def _renamed(found: Any, folder: str) -> Any:  # noqa: ANN401 -- likewise
    """Return what was found as it is called from the folder of the caller."""
    if isinstance(found, Unusable):
        return evolve(found, source=found.source.removeprefix(folder))
    return found.removeprefix(folder) if isinstance(found, str) else found


def detect_images(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str] | S3Object] | Dataset,
    *,
    client: AnyClient = None,
    attributes: str | Sequence[str] = "ALL",
    rate: float | None = None,
    columns: Sequence[str] | None = None,
    source_column: str | None = None,
    nested: bool = False,
    landmarks: bool = False,
    faceless: bool = False,
    timeout: Seconds = detecting.TIMEOUT,
    concurrency: int | tuple[int, int] | None = None,
    num_cpus: float | None = None,
) -> Dataset:
    """Find the faces of many images on all machines of a cluster of Ray, or on all cores of this one.

    Nothing is done before rows of the dataset are wanted. It uses the Ray that is there, or starts one on this machine.
    What a lost process or machine had under way is done again by another one, and may be charged again; nothing is
    missing in the output, and nothing is in it twice.

    Emotions are how a face looks, not what a person feels.

    Args:
        source: A path, a folder, a glob, ``s3://bucket/prefix/``, a list of such, or a dataset that has photos. Paths
            have to lead to the same files on all machines. Objects in S3 are read by Rekognition itself; for the
            embedded engine, Ray reads them.
        client: As for :class:`DetectImages`.
        attributes: Likewise.
        rate: Likewise.
        columns: Likewise.
        source_column: Likewise.
        nested: Likewise.
        landmarks: Likewise.
        faceless: Likewise.
        timeout: Likewise.
        concurrency: Actors, or the fewest and the most of them. Left out, one a CPU for the embedded engine and for a
            client that works by itself, else two.
        num_cpus: What each of them takes of a CPU. Left out, 0.9, or less where one CPU would not be left for what
            reads and writes.

    Returns:
        A dataset with the columns of :data:`rekog_emotion.results.tables.COLUMNS` and ``error``.

    Raises:
        InvalidInputError: An argument cannot be used, or there is nothing at the source; nothing was sent.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: ``REKOG_EMOTION_CLIENT`` names no client, or AWS is not configured here. Of a function that
            makes clients, each process tells by itself.
    """
    ImagesRequest(attributes=attributes, timeout=timeout, rate=rate)
    sink = OutcomeSink("images", nested=nested, landmarks=landmarks, faceless=faceless)
    named = None if columns is None else _checked(columns)
    check_pool(concurrency, num_cpus)
    given = cast("Dataset", source) if isinstance(source, ray.data.Dataset) else None
    places = _places(source) if given is None else []
    known = given.schema(fetch_if_missing=False) if given is not None else None
    if known is not None:
        column_of(known.names, source_column)
    if given is None or known is not None:
        check_columns(named or (), sink.schema.names, None if known is None else known.names)
    sent = check_client(client)
    ready()
    alone = works_by_itself(sent)
    pool, cpu = pool_of(concurrency, num_cpus, default=cpus() if alone else _ACTORS)
    options: dict[str, Any] = {
        "client": sent,
        "attributes": attributes,
        "rate": rate,
        "columns": named,
        "nested": nested,
        "landmarks": landmarks,
        "faceless": faceless,
        "timeout": timeout,
    }
    kind: type[DetectImages]
    if given is not None:
        kind, photos, options["source_column"] = DetectImages, given, source_column
    elif alone and len(places) == 1 and is_prefix(places[0]):
        kind, photos = _DetectStored, ray.data.read_binary_files(places[0], include_paths=True)
    else:
        kind, options["folder"] = _DetectFound, here()
        sizes = _ALONE if alone else _SERVED
        photos = _listed(places, client=sent, folder=options["folder"], actors=pool.max_size, sizes=sizes)
    rows = photos.map_batches(
        kind,
        fn_constructor_kwargs=options,
        batch_size=None,
        batch_format="pyarrow",
        compute=pool,
        num_cpus=cpu,
    )
    if named is not None and not set(named) <= set(sink.schema.names):
        return rows  # the types of the dataset's own columns are known by its rows alone
    whole = sink.schema if named is None else pa.schema([sink.schema.field(name) for name in named])
    return rows.union(ray.data.from_arrow(whole.empty_table()))  # so that it has a schema without any rows, too


def _places(source: Any) -> list[Any]:  # noqa: ANN401 -- what callers pass
    """Return the places that a caller names, when each has been looked at."""
    if isinstance(source, (str, os.PathLike)):
        _batch.check_sources(source, named=False)
        return [source]
    if isinstance(source, (list, tuple)) and all(isinstance(one, (str, os.PathLike, S3Object)) for one in source):
        return list(source)
    msg = (
        f"source= got {type(source).__name__}: pass a path, a glob, s3://bucket/prefix/, a list of such, or a dataset "
        "of Ray, for instance ray.data.read_images(...)"
    )
    raise InvalidInputError(msg)


def _listed(places: list[Any], **how: Any) -> Dataset:  # noqa: ANN401 -- the arguments of `_find`
    """Return a dataset of the photos at places, in blocks that are done as one."""
    found = ray.data.from_arrow(packed(places or [None])).map_batches(
        _find, fn_kwargs=how, batch_size=None, batch_format="pyarrow", num_cpus=0.1
    )
    return found.repartition(target_num_rows_per_block=1)
