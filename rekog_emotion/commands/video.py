"""``rekog-emotion video``: the faces of a video over time, as a summary or as JSON Lines."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._listing import Listing
from rekog_emotion.commands._many import add_engine, use_engine
from rekog_emotion.commands._media import check_client, is_results, job_bar
from rekog_emotion.commands._options import add_job, add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError, JobError, JobTimeoutError, ResponseError

if TYPE_CHECKING:
    from rekog_emotion.blocking.job import VideoJob
    from rekog_emotion.results.video_analysis import VideoAnalysis
    from rekog_emotion.values.progress import OnProgress

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "find and describe the faces of a video"
DESCRIPTION: Final = """\
Find the faces of a video, about two samples a second: on a terminal a summary,
a row a second with faces (or a longer span of a longer video) that has how many
there are at once, and on which share of them each emotion leads; elsewhere or
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
  rekog-emotion video *.mp4 --client embedded > faces.jsonl
  rekog-emotion video --resume JOB
  rekog-emotion video clip.mp4 | jq -c '.answer.Faces[] | [.Timestamp, .Face.Emotions[0].Type]'
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "clips",
        nargs="*",
        metavar="CLIP",
        help="a file, or s3://bucket/key; or a file of results (.jsonl, .json), which is shown again and costs no "
        "call; several are analysed at once, and a bad one does not stop the others",
    )
    add_shared(parser)
    add_engine(parser)
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
    """Start or resume the job, wait for it, print what it found; of several clips, return the highest exit code."""
    use_engine(args)
    if len(args.clips) > 1:
        return _run_many(args)
    args.clip = args.clips[0] if args.clips else None
    listing = Listing(args)
    if args.clip is not None and is_results(args.clip):
        _check_results(args)
        listing.add_results(args.clip)
        return _terminal.OK
    with job_bar() as on_progress:
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
    listing.add(analysis, source=args.clip or analysis.source or args.resume, name="" if args.clip else _name(analysis))
    if not _terminal.for_programs(args) and analysis.engine != "embedded":  # whose jobs end with this process
        say(one_line(f"job: {analysis.job_id}"))
    return _terminal.OK


def _run_many(args: argparse.Namespace) -> int:
    """Analyse several clips at once, and print each as it ends."""
    for option, value in (("--resume", args.resume), ("--upload", args.upload)):
        if value is not None:
            msg = f"{option} is about one job, and there are {len(args.clips)} clips; leave one of the two out"
            raise InvalidInputError(msg)
    from rekog_emotion.blocking.videos import analyze_videos
    from rekog_emotion.showing import show_progress

    check_client(args, args.clips)
    listing, code = Listing(args), _terminal.OK
    for clip in filter(is_results, args.clips):
        try:
            listing.add_results(clip)
        except (InvalidInputError, ResponseError, JobError) as error:
            code = max(code, _terminal.report(error, about=clip, debug=args.debug))
    clips = [clip for clip in args.clips if not is_results(clip)]
    outcomes = analyze_videos(
        clips,
        client=args.client,
        staging=args.staging,
        slot_timeout=args.timeout,
        timeout=args.timeout,
        on_progress=show_progress(file=sys.stderr) if sys.stderr.isatty() else None,
    )
    for outcome in outcomes:
        if outcome.error is None:
            listing.add(outcome.result(), source=str(outcome.source))
            continue
        code = max(code, _terminal.report(outcome.error, about=str(outcome.source), debug=args.debug))
        if outcome.job is not None and isinstance(outcome.error, JobTimeoutError):
            _tell_how_to_resume(outcome.job, args)
        _tell_what_is_left(outcome.error)
    return code


def _check_results(args: argparse.Namespace) -> None:
    for option, value in (("--resume", args.resume), ("--upload", args.upload), ("--staging", args.staging)):
        if value is not None:
            msg = f"{args.clip} has results, for which no job is started; leave out {option}"
            raise InvalidInputError(msg)


def _job(args: argparse.Namespace, on_progress: OnProgress) -> VideoJob:
    from rekog_emotion.blocking.job import VideoJob
    from rekog_emotion.blocking.video import start_video
    from rekog_emotion.sources.images import parse_s3_uri

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


def _name(analysis: VideoAnalysis) -> str:
    """Return what people read of a job that was taken up by its id, which says nothing to them."""
    from rekog_emotion.values.s3 import s3_uri

    where = analysis.video.s3_object if analysis.video else None
    return analysis.source or (s3_uri(where) if where else "a video")


def _tell_what_is_left(error: BaseException) -> None:
    """Print what an error says beside its message: of a job that may have been started, or of its upload."""
    for text in getattr(error, "__notes__", ()):
        _terminal.note(f"{_terminal.PROGRAM}: {_terminal.one_line(text)}")


def _tell_how_to_resume(job: VideoJob, args: argparse.Namespace) -> None:
    """Print the command that takes the job up again; a job of the embedded engine ends with this process."""
    from rekog_emotion.clients.names import engine_name, resolve_client
    from rekog_emotion.values.s3 import s3_uri

    if engine_name(resolve_client(args.client)) == "embedded":
        return
    command = [_terminal.PROGRAM, "video", "--resume", job.job_id]
    if job.upload is not None:
        command += ["--upload", s3_uri(job.upload)]
    if args.client is not None:
        command += ["--client", args.client]
    _terminal.note(f"the job goes on; resume it with: {shlex.join(command)}")
