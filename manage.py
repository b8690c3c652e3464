#!/usr/bin/env python3
"""The way in: `python3 manage.py up`, `test` and every other command."""

import sys

from influencer import bootstrap

if __name__ == "__main__":
    bootstrap.enter(sys.argv)  # comes back only inside the project's own .venv

    from influencer import commandline

    sys.exit(commandline.run(sys.argv))
