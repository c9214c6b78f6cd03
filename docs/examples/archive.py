"""The faces of all photos under a prefix in S3, as Parquet: on a cluster of Ray, or on this machine.

archive.py s3://my-photos/2024/ s3://my-results/faces/ --rate 50
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Literal

import ray

import rekog_emotion as rekog
from rekog_emotion import RekognitionClient
from rekog_emotion import ray as rekog_ray


def client(region: str | None) -> RekognitionClient:
    """Make the client of a process, with the credentials of its machine."""
    return rekog.aws_client(region_name=region)


def main() -> None:
    """Analyse, write, and say how it went."""
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", help="a folder, a glob or s3://bucket/prefix/")
    parser.add_argument("results", help="a folder or s3://bucket/prefix/ for the files of Parquet")
    parser.add_argument("--rate", type=float, help="your quota of DetectFaces, calls a second")
    parser.add_argument("--region", help="that of the bucket")
    parser.add_argument("--offline", action="store_true", help="ask the embedded engine")
    options = parser.parse_args()

    asked: Literal["embedded"] | Callable[[], RekognitionClient] = (
        "embedded" if options.offline else partial(client, options.region)
    )
    faces = rekog_ray.detect_images(
        options.photos,
        client=asked,
        rate=options.rate,
        attributes=["DEFAULT", "EMOTIONS"],
        faceless=True,  # so that each photo has a row, and a second run can leave out what is done
    )
    faces.write_parquet(options.results, min_rows_per_file=100_000)

    written = ray.data.read_parquet(options.results, columns=["source", "error"])
    failed = written.filter(lambda row: row["error"] is not None)
    print(f"{written.count()} rows, {failed.count()} photos failed")
    for row in failed.take(10):
        print(row["source"], row["error"], sep=": ")


if __name__ == "__main__":
    main()
