"""`python -m reactor_runtime` is `reactor`."""

from reactor_runtime.cli.main import main

if __name__ == "__main__":
    main()
