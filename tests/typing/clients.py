"""What is a client by its types; read by mypy and pyright, never run."""

from typing import assert_type

import boto3
from types_boto3_rekognition import RekognitionClient as Boto3Client

from rekog_emotion import ImageAnalysis, RekognitionClient, aws_client, detect_image
from rekog_emotion.embedded import EmbeddedClient


def takes_boto3s_own(boto3_client: Boto3Client) -> RekognitionClient:
    """A boto3 client, as its published types describe it, needs no adapter."""
    assert_type(detect_image("photo.jpg", client=boto3_client), ImageAnalysis)
    return boto3_client


# Ours is one, too, and so is the embedded engine.
assert_type(aws_client(), RekognitionClient)
assert_type(aws_client(session=boto3.session.Session(), region_name="eu-west-1"), RekognitionClient)
embedded: RekognitionClient = EmbeddedClient()
clean: RekognitionClient = EmbeddedClient(weights="clean")
assert_type(detect_image("photo.jpg", client=EmbeddedClient()), ImageAnalysis)

# By name, or left out.
detect_image("photo.jpg", client="aws")
detect_image("photo.jpg", client=None)

# What lacks the methods is none.
not_a_client: RekognitionClient = boto3.session.Session()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] -- the error is what is tested
detect_image("photo.jpg", client=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- the error is what is tested
