"""The verbs past one machine: photos and videos as datasets of Ray Data, by the same decisions, options and results.

Inside this package ``import ray`` is Ray itself; whoever needs both names calls this one otherwise:
``from rekog_emotion import ray as rekog_ray``.
"""

from __future__ import annotations

from rekog_emotion.ray.images import DetectImages, detect_images
from rekog_emotion.ray.videos import analyze_videos

__all__ = ["DetectImages", "analyze_videos", "detect_images"]
