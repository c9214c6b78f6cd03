"""A Lambda function: an object that comes into S3 is looked at, and how its faces look goes into the log."""

import json
import urllib.parse

import rekog_emotion as rekog


def handler(event, context):
    """Find the faces of each object that an event of S3 tells of."""
    left = context.get_remaining_time_in_millis() / 1000
    found = {}
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        where = rekog.S3Object(bucket=bucket, name=key)
        # The client is made by the first call, and found by the next ones while the container is warm.
        photo = rekog.detect_image(where, attributes=["DEFAULT", "EMOTIONS"], timeout=max(left - 2, 1))
        found[key] = [str(face.dominant_emotion.type) for face in photo.faces if face.dominant_emotion]
    print(json.dumps(found))  # the log; a table or a queue would do as well
    return found
