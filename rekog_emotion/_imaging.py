"""Decode, turn and convert pictures: the only user of Pillow outside results/."""
