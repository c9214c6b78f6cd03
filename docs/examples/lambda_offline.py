"""A Lambda function in an image: the body of a request is looked at by the embedded engine, and goes nowhere else."""

import base64
import json

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient

# Made while the container starts, which takes most of the time: warm starts find it.
CLIENT = EmbeddedClient()


def handler(event, context):
    """Answer a request of a function URL, or of API Gateway, whose body is a picture."""
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    left = context.get_remaining_time_in_millis() / 1000
    try:
        photo = rekog.detect_image(body, client=CLIENT, timeout=max(left - 1, 1))
    except rekog.InvalidInputError as error:
        return {"statusCode": 400, "body": json.dumps({"error": str(error)})}
    emotions = [str(face.dominant_emotion.type) for face in photo.faces if face.dominant_emotion]
    return {"statusCode": 200, "body": json.dumps({"emotions": emotions})}
