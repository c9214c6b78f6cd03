import pickle

import pytest

from rekog_emotion.values import words

WORDS = [word for name in words.__all__ for word in getattr(words, name)]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{type(word).__name__}.{word.name}")
def test_word_is_its_string(word):
    """A word equals, hashes, prints and shows as the service's bare string, and pickles as itself."""
    assert word == word.value
    assert hash(word) == hash(word.value)
    assert (str(word), repr(word), f"{word}") == (word.value, word.value, word.value)
    assert pickle.loads(pickle.dumps(word)) is word  # noqa: S301 -- our own bytes
