"""The two scripts that the library was asked for with, run as they are: only bucket, key and file names are others."""

import ast
import os
import subprocess
import sys

import pytest

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import S3Objects, Spool, create_app
from tests.server.conftest import DATA, at_a_port, boto

DETECT_FACES = r"""
import boto3
import time

t1 = time.time()
rekog = boto3.client(
    'rekognition',
    aws_access_key_id='...',
    aws_secret_access_key='...'
)
print(f'Rekog creating time took {round(time.time()-t1, 3)} seconds')

# Local Storage Image
r = None
with open('astronaut.jpg', 'rb') as f:
    r = f.read()

t1 = time.time()
rekog_r = rekog.detect_faces(Image={'Bytes':r}, Attributes=['ALL'])
print(rekog_r)

print(f'Detecting time took {round(time.time()-t1, 3)} seconds')
"""

FACE_DETECTION = r"""
# test.py
import boto3

S3_ACCESS_KEY_ID = '...'
S3_SECRET_ACCESS_KEY = '...'
bucket_name = 'my-videos'
prefix = 'clips/'
file_name = 'people.mp4'
obj_key = prefix+file_name

# AWS Rekognition
print('Creating AWS S3, Rekognition Object')
s3 = boto3.resource(
    's3',
    aws_access_key_id=S3_ACCESS_KEY_ID,
    aws_secret_access_key=S3_SECRET_ACCESS_KEY
)

rekog = boto3.client(
    'rekognition',
    aws_access_key_id=S3_ACCESS_KEY_ID,
    aws_secret_access_key=S3_SECRET_ACCESS_KEY
)

bucket = s3.Bucket(name=bucket_name)
obj = bucket.Object(key=obj_key)

print(f'type(obj): {type(obj)}')
print(f"obj.key: {obj.key}")
print(f"obj.get(): {obj.get()}")

# Rekognition Request
start_face_detection_response = rekog.start_face_detection(
    Video={
        'S3Object': {
            'Bucket': bucket_name,
            'Name': obj_key
        }
    },
    ClientRequestToken='1',
    FaceAttributes = 'ALL'
)

print(f'\n\nstart_face_detection_response: {start_face_detection_response}')

get_face_detection_response = rekog.get_face_detection(
    JobId=start_face_detection_response['JobId'],
    MaxResults=123
)

print(f'\n\nget_face_detection_response: {get_face_detection_response}')

"""

MEMBERS = {
    "AgeRange",
    "Beard",
    "BoundingBox",
    "Confidence",
    "Emotions",
    "EyeDirection",
    "Eyeglasses",
    "EyesOpen",
    "FaceOccluded",
    "Gender",
    "Landmarks",
    "MouthOpen",
    "Mustache",
    "Pose",
    "Quality",
    "Smile",
    "Sunglasses",
}


@pytest.fixture
def run(moto, tmp_path, monkeypatch):
    """Give a way to run a script beside the server, led there by the environment alone."""
    # The keys are the server's own; the scripts bring theirs.
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    for name, value in {**keys, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": moto}.items():
        monkeypatch.setenv(name, value)
    with boto(moto, "s3") as s3:
        s3.create_bucket(Bucket="my-videos")
        s3.put_object(Bucket="my-videos", Key="clips/people.mp4", Body=(DATA / "people.mp4").read_bytes())
    spool = Spool(tmp_path / "spool")
    with (
        EmbeddedClient(resolver=S3Objects(spool)) as client,
        at_a_port(create_app(client, spool=spool)) as url,
    ):
        environment = {name: value for name, value in os.environ.items() if name not in keys}

        def run(script):
            done = subprocess.run(  # noqa: S603 -- our own program
                [sys.executable, "-c", script],
                check=False,
                capture_output=True,
                text=True,
                cwd=DATA,
                env=environment | {"AWS_ENDPOINT_URL_REKOGNITION": url},
                timeout=120,
            )
            assert (done.returncode, done.stderr) == (0, "")
            return done.stdout

        yield run


def test_the_script_for_a_photo(run):
    """It prints all attributes of a face."""
    lines = run(DETECT_FACES).splitlines()

    answer = ast.literal_eval(lines[1])
    [face] = answer["FaceDetails"]
    assert set(face) == MEMBERS
    assert len(face["Landmarks"]) == 30
    assert face["Emotions"][0]["Type"] == "HAPPY"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert lines[2].startswith("Detecting time took ")


def test_the_script_for_a_video(run):
    """It prints the object, a job id, and the first page, which may be of a job in progress."""
    output = run(FACE_DETECTION)

    started, first_page = (
        ast.literal_eval(output.partition(f"{name}_face_detection_response: ")[2].partition("\n")[0])
        for name in ("start", "get")
    )
    assert "obj.key: clips/people.mp4" in output
    assert len(started["JobId"]) == 64
    assert first_page["JobId"] == started["JobId"]
    assert first_page["JobStatus"] in {"IN_PROGRESS", "SUCCEEDED"}
    assert first_page["Video"] == {"S3Object": {"Bucket": "my-videos", "Name": "clips/people.mp4"}}
