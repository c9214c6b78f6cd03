import pickle

from rekog_emotion.embedded.faults import client_error, response_metadata


def test_looks_like_what_botocore_raises():
    """Code, message, operation and status lie where error handling for the real service looks for them."""
    error = client_error("DetectFaces", "ImageTooLargeException", "Request has an image that is too large", status=413)

    assert error.response["Error"] == {
        "Code": "ImageTooLargeException",
        "Message": "Request has an image that is too large",
    }
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert error.operation_name == "DetectFaces"
    assert str(error) == (
        "An error occurred (ImageTooLargeException) when calling the DetectFaces operation: "
        "Request has an image that is too large"
    )


def test_status_is_400_unless_given():
    """Errors that a caller can mend are 400."""
    assert client_error("X", "Y", "Z").response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_pickles():
    """An error crosses a process pool."""
    error = client_error("X", "Y", "Z")

    assert pickle.loads(pickle.dumps(error)).response == error.response  # noqa: S301 -- our own bytes


def test_metadata_is_that_of_an_answer():
    """Every answer has its own request id, in both places, and says that no service was asked."""
    first, second = response_metadata(), response_metadata()

    assert first == {
        "RequestId": first["RequestId"],
        "HTTPStatusCode": 200,
        "HTTPHeaders": {
            "x-amzn-requestid": first["RequestId"],
            "content-type": "application/x-amz-json-1.1",
            "x-rekog-emotion-engine": "embedded",
        },
        "RetryAttempts": 0,
    }
    assert first["RequestId"] != second["RequestId"]
