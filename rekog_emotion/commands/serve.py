"""``rekog-emotion serve``: a local endpoint that AWS SDKs take for Rekognition."""

from __future__ import annotations

import argparse
import json
import shlex
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._many import add_weights
from rekog_emotion.commands._options import add_debug
from rekog_emotion.commands._terminal import say
from rekog_emotion.errors import InvalidInputError

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "serve Rekognition's protocol on this machine, for any AWS SDK"
DESCRIPTION: Final = """\
Answer DetectFaces, StartFaceDetection and GetFaceDetection like Amazon
Rekognition, by the embedded engine: boto3, the AWS CLI and SDKs of other
languages use it unchanged. Prints the environment that leads them here.

Objects in S3 are read with the endpoint, region and credentials of the
environment, or from a folder. Ctrl-C ends it when what it works on is done.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion serve
  rekog-emotion serve --media-root media/
  rekog-emotion serve --state jobs.sqlite
  rekog-emotion serve --allow-origin http://localhost:3000
  rekog-emotion serve --host 0.0.0.0 --access-key dev --secret-key-file secret
  aws rekognition detect-faces --endpoint-url http://127.0.0.1:8765 \\
    --image-bytes fileb://portrait.jpg --attributes ALL
"""

_LAST_PORT: Final = 65535
# To listen at all addresses of a machine has a name that is no address: this one leads there, from the machine itself.
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- said above


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen at; any other than this machine's own needs keys (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=_port, default=8765, metavar="N", help="the port; 0 takes a free one (default: 8765)"
    )
    parser.add_argument(
        "--media-root",
        metavar="DIR",
        help="read objects from files of this folder, DIR/bucket/key, instead of from S3",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="keep video jobs and their results in this SQLite file: a server that was killed takes them up again "
        "(default: they end with the server)",
    )
    parser.add_argument(
        "--access-key",
        metavar="ID",
        help="let only requests pass that are signed with this key; without it, signatures are not read, and only "
        "programs of this machine are answered",
    )
    parser.add_argument(
        "--secret-key-file", metavar="FILE", help="with --access-key: the file that has its secret access key"
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="URL",
        help="let pages of this origin, such as http://localhost:3000, ask from a browser; may be named more than once",
    )
    add_weights(parser)
    parser.add_argument("--json", action="store_true", help="print the environment as one JSON object, not for a shell")
    add_debug(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from rekog_emotion.server import listen, serve

    keys = _keys(args.access_key, args.secret_key_file)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(args.host, args.port, public=keys is not None))
        app = _app(args, keys, stack)
        _tell(listener.getsockname(), keys, as_json=args.json)
        if not _terminal.for_programs(args):
            _terminal.note("serving: the SDK needs these lines in its own shell, another terminal's; Ctrl-C ends it")
        serve(app, listener, then=stack.close)
    return _terminal.OK


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _LAST_PORT:
        msg = f"{text!r} is no port: name a number from 0 to {_LAST_PORT}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _keys(access_key: str | None, secret_key_file: str | None) -> dict[str, str] | None:
    if (access_key is None) != (secret_key_file is None):
        msg = "--access-key and --secret-key-file go together: name both or neither"
        raise InvalidInputError(msg)
    if access_key is None or secret_key_file is None:
        return None
    if not access_key.strip():
        msg = "--access-key is empty: name the id of a key, such as dev"
        raise InvalidInputError(msg)
    try:
        secret = Path(secret_key_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        msg = f"--secret-key-file {secret_key_file} cannot be read: {reason}"
        raise InvalidInputError(msg) from error
    if not secret:
        msg = f"--secret-key-file {secret_key_file} is empty: write the secret access key into it"
        raise InvalidInputError(msg)
    return {access_key: secret}


def _app(args: argparse.Namespace, keys: dict[str, str] | None, stack: ExitStack) -> Starlette:
    from rekog_emotion.embedded import EmbeddedClient
    from rekog_emotion.server import MediaRoot, S3Objects, Spool, create_app

    store = None
    if args.state is not None:
        from rekog_emotion.embedded.sqlite_store import SqliteStore

        store = stack.enter_context(closing(SqliteStore(args.state)))
    # Beside the state, so that the next server finds the copies of the videos whose jobs it takes up.
    spool = stack.enter_context(closing(Spool(None if args.state is None else f"{args.state}.spool")))
    resolver = S3Objects(spool) if args.media_root is None else MediaRoot(args.media_root)
    client = stack.enter_context(closing(EmbeddedClient(weights=args.weights or "all", resolver=resolver, store=store)))
    return create_app(client, keys=keys, spool=spool, allow_origins=args.allow_origin)


def _tell(address: tuple[str, int], keys: dict[str, str] | None, *, as_json: bool) -> None:
    """Print the environment that leads boto3 and other SDKs here, as lines for a shell or as JSON."""
    host, port = address[:2]
    host = _EVERYWHERE.get(host, host)
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if as_json:
        key = "any" if keys is None else next(iter(keys))
        # The secret is what the caller knows; it is not printed.
        environment = {
            "AWS_ENDPOINT_URL_REKOGNITION": url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": "any" if keys is None else None,
        }
        say(json.dumps(environment))
        return
    say(f"export AWS_ENDPOINT_URL_REKOGNITION={url}")
    say("export AWS_DEFAULT_REGION=us-east-1  # any will do")
    key, secret = ("any", "any") if keys is None else (shlex.quote(next(iter(keys))), "...")
    say(f"export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}; unset AWS_SESSION_TOKEN")
