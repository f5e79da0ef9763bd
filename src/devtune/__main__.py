"""`python -m devtune` is `devtune`."""

from devtune.cli import main

if __name__ == "__main__":
    main()
