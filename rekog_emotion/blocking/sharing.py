"""What all threads share with whoever else uses a client: the mailbox of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rekog_emotion.clients.aws import sqs_client_for
from rekog_emotion.clients.sharing import SHARED
from rekog_emotion.flows.messages import Mailbox, mailbox_at

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient
    from rekog_emotion.flows.messages import SnsSqs

__all__ = ["mailbox_of"]


def mailbox_of(channel: SnsSqs, client: RekognitionClient) -> Mailbox:
    """Return the mailbox of a queue, with a client.

    Raises:
        ConfigurationError: The SQS client cannot be made.
    """
    with SHARED.lock:
        mailbox = mailbox_at(channel, client)
    if mailbox.sqs is None:
        mailbox.sqs = sqs_client_for(client)
    return mailbox
