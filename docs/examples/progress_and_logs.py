"""What a long run tells: lines of JSON for a log collector, and a bar for whoever looks at a terminal."""

import json
import logging
from pathlib import Path

import rekog_emotion as rekog


class JsonLines(logging.Formatter):
    """Writes a record as a line of JSON, with what a report of progress holds as members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = getattr(record, "rekog_emotion", {})
        members = {name: told[name] for name in ("event", "source", "status", "done", "fraction") if name in told}
        return json.dumps(
            {"level": record.levelname, "logger": record.name, **(members or {"text": record.getMessage()})}
        )


def main() -> None:
    """Go through a folder, with a line an event."""
    handler = logging.FileHandler("run.log", encoding="utf-8")  # StreamHandler() writes to standard error
    handler.setFormatter(JsonLines())
    log = logging.getLogger("rekog_emotion")  # of this library alone: botocore's, at DEBUG, has whole requests
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)  # INFO leaves progress out; warnings always come

    photos = rekog.detect_images("photos", client="embedded", ordered=True, on_progress=rekog.show_progress())
    for outcome in photos:
        if outcome.error is not None:
            log.warning("%s was not analysed: %s", outcome.source, outcome.error)
    handler.close()


if __name__ == "__main__":
    main()
    print(len(Path("run.log").read_text(encoding="utf-8").splitlines()), "events")
