"""The command line: ``python -m seminar_lib``."""

import sys

from seminar_lib import bootstrap

if __name__ == "__main__":
    # Setting up must work before anything is installed, so the other verbs are imported only when they are asked for.
    if sys.argv[1:2] and sys.argv[1] in bootstrap.VERBS:
        raise SystemExit(bootstrap.main(sys.argv[1:]))
    try:
        from seminar_lib import cli
    except ModuleNotFoundError as missing:
        raise SystemExit(bootstrap.not_here(missing.name)) from None
    except KeyboardInterrupt:  # the libraries take seconds to load
        raise SystemExit(130) from None

    cli.main()
