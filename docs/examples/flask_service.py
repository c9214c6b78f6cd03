"""A web service that finds faces: a limit, a deadline, errors as answers, networks loaded before the first request."""

import io
from typing import Final

import flask
from PIL import Image

import rekog_emotion as rekog

CLIENT: Final = "embedded"  # "aws" asks Amazon Rekognition; nothing else changes

app = flask.Flask("faces")
app.config["MAX_CONTENT_LENGTH"] = 5 * 1024 * 1024  # what the service takes of a picture; Flask answers 413 above


def warm_up() -> None:
    """Make the client and load its networks when the process starts, and not in the first request."""
    blank = io.BytesIO()
    Image.new("RGB", (128, 128)).save(blank, "PNG")
    if CLIENT == "embedded":  # AWS would charge it
        rekog.detect_image(blank.getvalue(), client=CLIENT)


@app.post("/faces")
def faces() -> tuple[dict[str, object], int]:
    """Find the faces of the picture that is the body of the request."""
    try:
        photo = rekog.detect_image(flask.request.get_data(), client=CLIENT, timeout=10)
    except rekog.InvalidInputError as error:  # no image, too small, damaged: the message says it
        return {"error": str(error)}, 400
    except (rekog.ThrottledError, rekog.TransportError) as error:
        return {"error": str(error)}, 503
    return {"emotions": [face.dominant_emotion.type for face in photo.faces if face.dominant_emotion]}, 200


warm_up()
