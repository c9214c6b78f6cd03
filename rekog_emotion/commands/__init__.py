"""The commands of ``rekog-emotion``, one module each: ``add`` describes it to argparse, ``run`` does it."""
