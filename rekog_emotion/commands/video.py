"""``rekog-emotion video``: the faces of a video over time, as a summary or as JSON Lines."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from attrs import evolve

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._options import add_job, add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError, JobTimeoutError

if TYPE_CHECKING:
    from rekog_emotion.blocking.job import VideoJob
    from rekog_emotion.results.video_analysis import VideoAnalysis
    from rekog_emotion.values.progress import OnProgress, Progress
    from rekog_emotion.values.videos import TimedFace

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "find and describe the faces of a video"
DESCRIPTION: Final = """\
Find the faces of a video, about two samples a second: on a terminal a summary,
a row a second with faces (or a longer span of a longer video), elsewhere or
with --json JSON Lines: the whole analysis on a line.

Rekognition reads video from S3 only: a local file needs --staging, where it is
uploaded under a random name and deleted when the job has ended. The embedded
engine takes local files as they are.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion video clip.mp4 --client embedded
  rekog-emotion video s3://bucket/clip.mp4
  rekog-emotion video clip.mp4 --staging s3://bucket/uploads/
  rekog-emotion video --resume JOB
  rekog-emotion video clip.mp4 | jq -c '.answer.Faces[] | [.Timestamp, .Face.Emotions[0].Type]'
"""

# Seconds that one row of the summary may stand for; the first that gives few enough rows is taken.
_SPANS: Final = (1, 2, 5, 10, 30, 60, 300, 600)
_ROWS: Final = 40


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="a file, or s3://bucket/key")
    add_shared(parser)
    add_job(parser)
    parser.add_argument(
        "--resume", metavar="JOB", help="take up a job that was started before, instead of starting one on CLIP"
    )
    parser.add_argument(
        "--upload",
        metavar="S3_URI",
        help="with --resume: the upload that belongs to the job, to be deleted when it has ended",
    )


def run(args: argparse.Namespace) -> int:
    """Start or resume the job, wait for it, print what it found."""
    with _progress() as on_progress:
        try:
            job = _job(args, on_progress)
        except BaseException as error:
            _tell_what_is_left(error)
            raise
        try:
            analysis = job.result(timeout=args.timeout, on_progress=on_progress)
        except (KeyboardInterrupt, JobTimeoutError):
            _tell_how_to_resume(job, args)
            raise
        except Exception as error:
            _tell_what_is_left(error)
            raise
    source = args.clip or analysis.source or args.resume
    if _terminal.for_programs(args):
        say(evolve(analysis, source=source).to_json())
    else:
        _print_summary(source, analysis)
    return _terminal.OK


def _job(args: argparse.Namespace, on_progress: OnProgress) -> VideoJob:
    from rekog_emotion.blocking.job import VideoJob  # noqa: PLC0415 -- likewise
    from rekog_emotion.blocking.video import start_video  # noqa: PLC0415 -- --help needs none of it
    from rekog_emotion.sources.images import parse_s3_uri  # noqa: PLC0415 -- likewise

    if (args.clip is None) == (args.resume is None):
        msg = "name a clip or a job to resume, one of the two: CLIP or --resume JOB"
        raise InvalidInputError(msg)
    if args.upload is not None and args.resume is None:
        msg = "--upload goes with --resume only; for a file to be uploaded name --staging s3://bucket/prefix/"
        raise InvalidInputError(msg)
    if args.resume is None:
        return start_video(
            args.clip, client=args.client, staging=args.staging, slot_timeout=args.timeout, on_progress=on_progress
        )
    upload = None if args.upload is None else parse_s3_uri(args.upload)
    return VideoJob.resume(args.resume, client=args.client, upload=upload)


def _tell_what_is_left(error: BaseException) -> None:
    """Print what an error says beside its message: of a job that may have been started, or of its upload."""
    for text in getattr(error, "__notes__", ()):
        _terminal.note(f"{_terminal.PROGRAM}: {_terminal.one_line(text)}")


def _tell_how_to_resume(job: VideoJob, args: argparse.Namespace) -> None:
    """Print the command that takes the job up again; a job of the embedded engine ends with this process."""
    from rekog_emotion.clients.names import engine_name, resolve_client  # noqa: PLC0415 -- likewise
    from rekog_emotion.values.s3 import s3_uri  # noqa: PLC0415 -- --help needs none of it

    if engine_name(resolve_client(args.client)) == "embedded":
        return
    command = [_terminal.PROGRAM, "video", "--resume", job.job_id]
    if job.upload is not None:
        command += ["--upload", s3_uri(job.upload)]
    if args.client is not None:
        command += ["--client", args.client]
    _terminal.note(f"the job goes on; resume it with: {shlex.join(command)}")


# The summary


def _print_summary(source: str, analysis: VideoAnalysis) -> None:
    metadata = analysis.metadata
    facts = [f"{len(analysis.faces)} faces" if len(analysis.faces) != 1 else "1 face"]
    if metadata is not None:
        if metadata.duration_millis is not None:
            facts.append(_clock(metadata.duration_millis // 1000))
        facts.append(f"{metadata.frame_width} x {metadata.frame_height} pixels")
    facts += [f"engine: {analysis.engine}", f"job: {analysis.job_id}"]
    say(one_line(f"{source}: {', '.join(facts)}"))
    if analysis.faces:
        _terminal.print_table(
            ("time", "faces at once", "leading emotions, share of the faces"), list(_rows(analysis.faces))
        )


def _rows(faces: Iterable[TimedFace]) -> Iterator[tuple[str, str, str]]:
    """Give a row a second, or a longer span for a longer video: faces at once, and how often each emotion led."""
    times = [(face.timestamp_ms or 0, face) for face in faces]
    last = max(time for time, _ in times) // 1000
    span = next((span for span in _SPANS if last // span < _ROWS), last // _ROWS + 1)
    spans: dict[int, list[tuple[int, TimedFace]]] = {}
    for time, face in times:
        spans.setdefault(time // 1000 // span, []).append((time, face))
    for number, members in sorted(spans.items()):
        at_once = max(Counter(time for time, _ in members).values())
        leading = [timed.face.dominant_emotion for _, timed in members if timed.face is not None]
        counts = Counter(str(emotion.type) for emotion in leading if emotion is not None)
        shares = ", ".join(f"{kind} {count / len(members):.0%}" for kind, count in counts.most_common())
        yield _clock(number * span), str(at_once), shares


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


# The progress bar


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """Show upload, job and pages on standard error, where it is a terminal and the ``cli`` extra is there."""
    try:
        from rich import progress as rich  # noqa: PLC0415 -- likewise
        from rich.console import Console  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError:
        yield _silent
        return
    columns = (
        rich.SpinnerColumn(),
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(
        *columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("starting", total=None)

        def on_progress(progress: Progress) -> None:
            bar.update(task, description=_words(progress), completed=progress.bytes_done, total=progress.bytes_total)

        yield on_progress


def _silent(_: Progress) -> None:
    pass


def _words(progress: Progress) -> str:
    return {
        "UPLOADING": f"uploading, {(progress.bytes_done or 0) / 1e6:.1f} of {(progress.bytes_total or 0) / 1e6:.1f} MB",
        "WAITING_FOR_SLOT": "waiting for a free slot",
        "PAGE": f"reading, {progress.faces} faces",
    }.get(progress.event, "waiting for the job")
