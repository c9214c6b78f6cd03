import numpy as np
import pytest

from rekog_emotion.embedded.nets import MAX_BATCH, Net, sigmoid


@pytest.mark.parametrize("threads", [1, 2])
def test_a_large_batch_gives_what_its_parts_give(threads):
    """Above the limit a batch is cut; order and values stay."""
    net = Net("dlib_gender", threads=threads)
    batch = np.random.default_rng(0).uniform(-0.5, 0.5, (MAX_BATCH + 3, 3, 32, 32))

    (together,) = net(batch)
    parts = np.concatenate([net(batch[k : k + 1])[0] for k in range(len(batch))])

    assert parts == pytest.approx(together, abs=1e-5)


@pytest.mark.parametrize(("logit", "probability"), [(0, 0.5), (1e9, 1), (-1e9, 0), (np.log(3), 0.75)])
def test_sigmoid(logit, probability):
    """Far logits saturate without a warning."""
    assert sigmoid(logit) == pytest.approx(probability)
