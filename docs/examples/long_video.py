"""A long video, by a program that may be stopped at any time: run it again, and it goes on with the same job."""

import json
import sys
from pathlib import Path

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient, SqliteStore

STATE = Path("job.json")


def keep(progress: rekog.Progress) -> None:
    """Keep what the job is taken up from as soon as there is one."""
    if progress.state is not None:
        STATE.write_text(json.dumps(dict(progress.state)), encoding="utf-8")


def main(video: str, client, *, timeout: float | None = 600, **options) -> None:
    """Start a job, or go on with the one that an earlier run has started."""
    try:
        if STATE.exists():
            job = rekog.VideoJob.from_dict(json.loads(STATE.read_text(encoding="utf-8")), client=client)
            print("goes on")
        else:
            job = rekog.start_video(video, client=client, on_progress=keep, **options)
            print("started")
        clip = job.result(timeout=timeout)
    except rekog.JobTimeoutError:
        print("not ready: run it again")
        sys.exit(75)  # "try again later"
    Path("result.json").write_text(clip.to_json(), encoding="utf-8")
    STATE.unlink()  # after the result is kept
    print(len(clip.faces), "faces")


if __name__ == "__main__":
    # With AWS: main("s3://my-videos/clip.mp4", None), or main("clip.mp4", None, staging="s3://my-uploads/rekognition/").
    store = SqliteStore("jobs.sqlite")  # without AWS the jobs are kept here
    with EmbeddedClient(store=store) as engine:
        main("clip.mp4", engine, timeout=float(sys.argv[1]) if sys.argv[1:] else None)
    store.close()
