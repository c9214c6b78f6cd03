"""Check what the README's first command gave: ``check_portrait.py JSON PNG``."""

import json
import sys
from pathlib import Path

# The age that Eileen Collins may have in the portrait.
YOUNGEST, OLDEST = 38, 48

answer, overlay = sys.argv[1:]
(line,) = Path(answer).read_text().splitlines()
(face,) = json.loads(line)["answer"]["FaceDetails"]
emotion = max(face["Emotions"], key=lambda emotion: emotion["Confidence"])["Type"]
age = face["AgeRange"]
print(emotion, face["Gender"]["Value"], "smiles:", face["Smile"]["Value"], age)
right = emotion == "HAPPY" and face["Gender"]["Value"] == "Female" and face["Smile"]["Value"]
overlaps = age["Low"] <= OLDEST and age["High"] >= YOUNGEST
drawn = Path(overlay).read_bytes().startswith(b"\x89PNG")
sys.exit(not (right and overlaps and drawn))
